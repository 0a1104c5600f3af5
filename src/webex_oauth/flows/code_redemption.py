"""Redemption: a code becomes a grant, and a session if wanted (RFC 6749 section 4.1.3)."""

import logging
from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from webex_oauth.errors import (
    AccessForbidden,
    AttemptUnknown,
    OrganizationRefused,
    StoreConflict,
    StoreUnavailable,
    WebexOAuthError,
)
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.revocation import Revocations, is_shared
from webex_oauth.oauth.authorization import AuthorizationCode
from webex_oauth.oauth.token import TokenSet, code_request, read_token_response
from webex_oauth.ports import API_LIMITS, TOKEN_LIMITS
from webex_oauth.secret import Secret
from webex_oauth.vault.ledger import Admission
from webex_oauth.vault.records import (
    Attempt,
    Grant,
    Mark,
    Profile,
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
from webex_oauth.webex.people import Person, is_one_of
from webex_oauth.webex.scopes import PEOPLE_READ, permits

log = logging.getLogger(__name__)

ADMISSION_TRIES = 5
MAX_SESSIONS = 1_000
"""How many browsers of one person are signed in at most."""
SURPLUS_BATCH = 10
UNNAMED_SUBJECT_PREFIX = "unnamed:"
UNNAMED_SUBJECT_BYTES = 16


class TakenAttempt(Struct, frozen=True):
    """An attempt whose state was taken: `mark` says whether it is finished.

    If there are `allowed_orgs`, only people of these organizations may complete it.
    """

    state_digest: bytes
    attempt: Attempt
    mark: Entry[Mark]
    allowed_orgs: Collection[str] = ()


class Browser(Struct, frozen=True):
    """The browser in which a person signs in.

    `session_digest` is of the session that it had before, `label` describes it to the person.
    """

    session_digest: bytes | None
    label: str | None = None


class Admitted(Struct, frozen=True):
    """The key of a grant that was kept, and the id of the session that came with it.

    `missing` are the scopes that the attempt asked for in particular and Webex did not grant.
    """

    grant_key: bytes
    session_id: Secret | None
    missing: tuple[str, ...] = ()


class CodeRedemption:
    """Turn codes into grants and sessions, for sign-ins that ask at least for *scopes*."""

    def __init__(
        self, context: FlowContext, scopes: tuple[str, ...], revocations: Revocations
    ) -> None:
        self._context = context
        self._scopes = scopes
        self._revocations = revocations

    async def redeem(
        self, taken: TakenAttempt, code: AuthorizationCode, browser: Browser | None
    ) -> Admitted:
        """Exchange *code*, learn who it is, keep the grant, and begin a session of *browser*.

        Its earlier session ends, and tokens that the person had before are revoked. Without a
        browser there is no session, and the grant is held. Raises AttemptUnknown,
        OrganizationRefused, TokenError, UpstreamError, ApiError, StoreError or VaultError; tokens
        that were issued by then are revoked as well.
        """
        self._check_unmoved(taken.attempt)
        grant = await self._exchange(taken.attempt, code)
        try:
            grant = await self._identified(grant)
            orgs = taken.allowed_orgs
            if orgs and not is_one_of(grant.profile.org_id, orgs):
                raise OrganizationRefused("people of this organization are not admitted")
            admitted = await self._keep(grant, taken, browser)
        except WebexOAuthError:
            await self._revocations.give_back(grant)
            raise
        asked = taken.attempt.scopes
        return replace(
            admitted, missing=tuple(one for one in asked if not permits(grant.scopes, one))
        )

    async def keep(self, tokens: TokenSet, scopes: frozenset[str], requested_at: int) -> bytes:
        """Keep and hold *tokens* that were just issued here; return the key of the grant.

        Raises UpstreamError, ApiError, StoreError or VaultError; the tokens are revoked then.
        """
        issuer = self._context.platform.server.issuer
        grant = Grant(issuer, self._unnamed(), tokens, scopes, requested_at)
        try:
            return (await self._keep(await self._identified(grant), None, None)).grant_key
        except WebexOAuthError:
            await self._revocations.give_back(grant)
            raise

    async def hold(
        self, grant: Grant, person: Person, instead_of: Entry[Grant] | None = None
    ) -> bytes:
        """Keep and hold *grant* as that of *person*, *instead_of* the one it was; return its key.

        Raises StoreError or VaultError; the tokens are not revoked.
        """
        grant = _with_person(grant, person)
        return (await self._keep(grant, None, None, instead_of)).grant_key

    def _check_unmoved(self, attempt: Attempt) -> None:
        """Refuse an attempt that was begun under another configuration."""
        server, client = self._context.platform.server, self._context.client
        scopes = (*self._scopes, *attempt.scopes)
        if attempt.terms != digest_of_terms(server.issuer, client.redirect_uri, scopes):
            raise AttemptUnknown("the attempt was begun under another configuration")

    async def _exchange(self, attempt: Attempt, code: AuthorizationCode) -> Grant:
        """Redeem *code* for a grant whose person is not known yet."""
        context, requested_at = self._context, self._context.clock()
        server = context.platform.server
        request = code_request(server, context.client, code, attempt.verifier)
        response = await context.transport.send(request, TOKEN_LIMITS)
        tokens = read_token_response(server, response, requested_at)
        asked = frozenset((*self._scopes, *attempt.scopes))
        scopes = asked if tokens.scopes is None else tokens.scopes
        log.debug("code exchanged; granted: %(scopes)s", {"scopes": sorted(scopes)})
        return Grant(server.issuer, self._unnamed(), tokens, scopes, requested_at)

    def _unnamed(self) -> str:
        return UNNAMED_SUBJECT_PREFIX + self._context.randomness(UNNAMED_SUBJECT_BYTES).hex()

    async def _identified(self, grant: Grant) -> Grant:
        """Ask who signed in, unless Webex will not say."""
        if not permits(grant.scopes, PEOPLE_READ):
            return grant
        try:
            return _with_person(grant, await self.person_of(grant))
        except AccessForbidden as error:
            log.warning("Webex will not say who signed in: %(error)s", {"error": str(error)})
            return grant

    async def person_of(self, grant: Grant) -> Person:
        """Ask Webex whose *grant* is; raise ApiError or UpstreamError."""
        context, call = self._context, people.me()
        request = api_request(context.platform, call, grant.tokens.access_token)
        response = await context.transport.send(request, API_LIMITS)
        return read_api_response(call, response, context.clock())

    async def _keep(
        self,
        grant: Grant,
        taken: TakenAttempt | None,
        browser: Browser | None,
        instead_of: Entry[Grant] | None = None,
    ) -> Admitted:
        key = grant.key
        session_id = self._context.random_secret() if browser else None
        session = self._session(session_id, grant, browser) if session_id and browser else None
        for _ in range(ADMISSION_TRIES):
            admission = await self._admission(grant, session, taken, browser, instead_of)
            try:
                ended = await self._context.ledger.admit(admission)
            except StoreConflict:
                continue
            self._revocations.soon(admission.earlier)
            self._revocations.soon(ended.revocation if ended else None)
            if admission.over and browser:  # a person who is new here has no other session
                await self._end_surplus(key)
            log.info("signed in: grant %(grant)s", {"grant": name_of_grant(key)})
            return Admitted(key, session_id)
        raise StoreConflict("the grant kept moving")

    async def _end_surplus(self, key: bytes) -> None:
        """End the sessions of a person beyond MAX_SESSIONS, those that were unused for longest."""
        ledger, name = self._context.ledger, {"grant": name_of_grant(key)}
        try:
            for surplus in await ledger.sessions_of(key, SURPLUS_BATCH, skip=MAX_SESSIONS):
                now = self._context.clock()
                await ledger.end_session(surplus.digest, now, keeps_grants=True, reason="too_many")
                log.info(
                    "the oldest session of grant %(grant)s ended: too many of one person", name
                )
        except StoreUnavailable:
            log.warning(
                "the sessions of grant %(grant)s could not be counted; the sign-in goes on", name
            )

    def _session(self, session_id: Secret, grant: Grant, browser: Browser) -> Session:
        now = self._context.clock()
        return Session(
            digest=digest(session_id),
            grant_key=grant.key,
            profile=grant.profile,
            created_at=now,
            seen_at=now,
            expires_at=now + self._context.absolute_seconds,
            browser=browser.label,
        )

    async def _admission(
        self,
        grant: Grant,
        session: Session | None,
        taken: TakenAttempt | None,
        browser: Browser | None,
        instead_of: Entry[Grant] | None,
    ) -> Admission:
        context = self._context
        earlier = await context.ledger.earlier_grant(grant.key)
        found, revocation = earlier.record, None
        is_held = browser is None or (found is not None and found.is_held)
        version = new_version(grant, found, context.randomness)
        # Revoking tokens that both have would end the new grant.
        if found is not None and not is_shared(found.tokens, grant.tokens):
            revocation = revocation_of(found, context.clock())
        return Admission(
            mark=taken.mark if taken else None,
            state_digest=taken.state_digest if taken else b"",
            grant=replace(version, is_held=is_held),
            over=earlier.rev,
            instead_of=instead_of,
            session=session,
            earlier=revocation,
            replaced_session=browser.session_digest if browser else None,
            keeps_grants=context.keeps_grants,
            at=context.clock(),
        )


def _with_person(grant: Grant, person: Person) -> Grant:
    profile = Profile(
        person_id=person.id,
        display_name=person.name,
        email=person.emails[0] if person.emails else None,
        avatar=person.avatar,
        org_id=person.org_id,
    )
    return replace(grant, subject=person.subject, profile=profile)
