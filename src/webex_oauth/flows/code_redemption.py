"""Redemption: a code becomes a grant and a session (RFC 6749 section 4.1.3)."""

import logging
from dataclasses import dataclass, replace

from webex_oauth.errors import (
    AccessForbidden,
    AttemptUnknown,
    StoreConflict,
    StoreUnavailable,
    WebexOAuthError,
)
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.revocation import Revocations, is_shared
from webex_oauth.oauth.authorization import AuthorizationCode
from webex_oauth.oauth.token import code_request, read_token_response
from webex_oauth.ports import API_LIMITS, TOKEN_LIMITS
from webex_oauth.secret import Secret
from webex_oauth.vault.ledger import Admission
from webex_oauth.vault.records import (
    Attempt,
    Grant,
    Mark,
    Profile,
    Revocation,
    Session,
    digest,
    digest_of_terms,
    name_of_grant,
    new_version,
    revocation_of,
)
from webex_oauth.vault.rows import Entry
from webex_oauth.webex import people
from webex_oauth.webex.api import api_request, read_api_response
from webex_oauth.webex.people import Person
from webex_oauth.webex.scopes import PEOPLE_READ, permits

log = logging.getLogger(__name__)

ADMISSION_TRIES = 5
MAX_SESSIONS = 1_000
"""How many browsers of one person are signed in at most."""
SURPLUS_BATCH = 10
UNNAMED_SUBJECT_PREFIX = "unnamed:"
UNNAMED_SUBJECT_BYTES = 16


@dataclass(frozen=True, slots=True)
class TakenAttempt:
    """An attempt whose state was taken: `mark` says whether it is finished."""

    state_digest: bytes
    attempt: Attempt
    mark: Entry[Mark]


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser in which a person signs in.

    `session_digest` is of the session that it had before, `label` describes it to the person.
    """

    session_digest: bytes | None
    label: str | None = None


class CodeRedemption:
    """Turn codes into sessions, for sign-ins that ask for *scopes*."""

    def __init__(
        self, context: FlowContext, scopes: tuple[str, ...], revocations: Revocations
    ) -> None:
        self._context = context
        self._scopes = scopes
        self._revocations = revocations

    async def redeem(
        self, taken: TakenAttempt, code: AuthorizationCode, browser: Browser
    ) -> Secret:
        """Exchange *code*, learn who it is, keep the grant, and return a new session's id.

        The browser's earlier session ends, and tokens that the person had before are revoked.
        Raises AttemptUnknown, TokenError, UpstreamError, ApiError, StoreError or VaultError; tokens
        that were issued by then are revoked as well.
        """
        self._check_unmoved(taken.attempt)
        grant = await self._exchange(taken.attempt, code)
        try:
            person = await self._identify(grant)
            if person is not None:
                grant = replace(grant, subject=person.subject)
            return await self._keep(grant, _profile(person), taken, browser)
        except WebexOAuthError:
            await self._revocations.give_back(grant)
            raise

    def _check_unmoved(self, attempt: Attempt) -> None:
        """Refuse an attempt that was begun under another configuration."""
        server, client = self._context.platform.server, self._context.client
        if attempt.terms != digest_of_terms(server.issuer, client.redirect_uri, self._scopes):
            raise AttemptUnknown("the attempt was begun under another configuration")

    async def _exchange(self, attempt: Attempt, code: AuthorizationCode) -> Grant:
        """Redeem *code* for a grant whose person is not known yet."""
        context, requested_at = self._context, self._context.clock()
        server = context.platform.server
        request = code_request(server, context.client, code, attempt.verifier)
        response = await context.transport.send(request, TOKEN_LIMITS)
        tokens = read_token_response(server, response, requested_at)
        scopes = frozenset(self._scopes) if tokens.scopes is None else tokens.scopes
        log.debug("code exchanged; granted: %(scopes)s", {"scopes": sorted(scopes)})
        return Grant(server.issuer, self._unnamed(), tokens, scopes, requested_at)

    def _unnamed(self) -> str:
        return UNNAMED_SUBJECT_PREFIX + self._context.randomness(UNNAMED_SUBJECT_BYTES).hex()

    async def _identify(self, grant: Grant) -> Person | None:
        """Ask who signed in; None if Webex will not say."""
        if not permits(grant.scopes, PEOPLE_READ):
            return None
        context, call = self._context, people.me()
        request = api_request(context.platform, call, grant.tokens.access_token)
        response = await context.transport.send(request, API_LIMITS)
        try:
            return read_api_response(call, response, context.clock())
        except AccessForbidden as error:
            log.warning("Webex will not say who signed in: %(error)s", {"error": str(error)})
            return None

    async def _keep(
        self, grant: Grant, profile: Profile, taken: TakenAttempt, browser: Browser
    ) -> Secret:
        session_id = self._context.random_secret()
        key = grant.key
        session = self._session(session_id, key, profile, browser)
        for _ in range(ADMISSION_TRIES):
            admission = await self._admission(grant, session, taken, browser)
            try:
                ended = await self._context.ledger.admit(admission)
            except StoreConflict:
                continue
            self._revoke_soon(admission.earlier)
            self._revoke_soon(ended.revocation if ended else None)
            if admission.over:  # a person who is new here has no other session
                await self._end_surplus(key)
            log.info("signed in: grant %(grant)s", {"grant": name_of_grant(key)})
            return session_id
        raise StoreConflict("the grant kept moving")

    async def _end_surplus(self, key: bytes) -> None:
        """End the sessions of a person beyond MAX_SESSIONS, those that were unused for longest."""
        ledger, name = self._context.ledger, {"grant": name_of_grant(key)}
        try:
            for surplus in await ledger.sessions_of(key, SURPLUS_BATCH, skip=MAX_SESSIONS):
                await ledger.end_session(surplus.digest, self._context.clock(), keeps_grants=True)
                log.info(
                    "the oldest session of grant %(grant)s ended: too many of one person", name
                )
        except StoreUnavailable:
            log.warning(
                "the sessions of grant %(grant)s could not be counted; the sign-in goes on", name
            )

    def _revoke_soon(self, revocation: Revocation | None) -> None:
        if revocation is not None:
            self._revocations.soon(revocation)

    def _session(
        self, session_id: Secret, key: bytes, profile: Profile, browser: Browser
    ) -> Session:
        now = self._context.clock()
        return Session(
            digest=digest(session_id),
            grant_key=key,
            profile=profile,
            created_at=now,
            seen_at=now,
            expires_at=now + self._context.absolute_seconds,
            browser=browser.label,
        )

    async def _admission(
        self, grant: Grant, session: Session, taken: TakenAttempt, browser: Browser
    ) -> Admission:
        context = self._context
        earlier = await context.ledger.earlier_grant(grant.key)
        return Admission(
            mark=taken.mark,
            state_digest=taken.state_digest,
            grant=new_version(grant, earlier.record, context.randomness),
            over=earlier.rev,
            session=session,
            earlier=self._earlier(earlier.record, grant),
            replaced_session=browser.session_digest,
            keeps_grants=context.keeps_grants,
        )

    def _earlier(self, found: Grant | None, grant: Grant) -> Revocation | None:
        """Return what to revoke of the tokens that *grant* replaces.

        None if revoking them would end the new ones.
        """
        if found is None or is_shared(found.tokens, grant.tokens):
            return None
        return revocation_of(found, self._context.clock())


def _profile(person: Person | None) -> Profile:
    if person is None:
        return Profile()
    return Profile(
        person_id=person.id,
        display_name=person.name,
        email=person.emails[0] if person.emails else None,
        avatar=person.avatar,
        org_id=person.org_id,
    )
