"""Redeem a code: it becomes a grant and a session (RFC 6749 section 4.1.3)."""

import logging
from dataclasses import dataclass

from webex_oauth.errors import AccessForbidden, IssuerMismatch, StoreConflict, WebexOAuthError
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.revocation import revoke_grant, revoke_tokens
from webex_oauth.oauth.authorization import AuthorizationCode
from webex_oauth.oauth.token import TokenSet, code_request, read_token_response
from webex_oauth.ports import API_LIMITS, TOKEN_LIMITS
from webex_oauth.secret import Secret
from webex_oauth.vault.attempts import Attempt
from webex_oauth.vault.grants import Grant, seal_grant
from webex_oauth.vault.records import AttemptRecord, EndedSession, digest, grant_key
from webex_oauth.vault.sessions import Profile, Session, seal_session
from webex_oauth.vault.store import ABSENT, Admission
from webex_oauth.webex import people
from webex_oauth.webex.api import api_request, read_api_response
from webex_oauth.webex.people import Person
from webex_oauth.webex.scopes import PEOPLE_READ, permits

log = logging.getLogger(__name__)

ADMISSION_TRIES = 5
UNNAMED_SUBJECT_PREFIX = "unnamed:"
UNNAMED_SUBJECT_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Identity:
    """Who signed in; the profile is empty when Webex would not say."""

    subject: str
    profile: Profile


class CodeRedemption:
    """Turn codes into sessions."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context

    async def redeem(
        self,
        record: AttemptRecord,
        attempt: Attempt,
        code: AuthorizationCode,
        replaced_session: bytes | None,
    ) -> Secret:
        """Exchange *code*, learn who it is, keep the grant, and give a new session's id.

        The browser's earlier session ends. Raises TokenError, UpstreamError, ApiError, StoreError
        or VaultError; tokens that were issued by then are given back to Webex.
        """
        self._check_unmoved(attempt)
        tokens = await self._exchange(code, attempt.verifier)
        scopes = frozenset(attempt.scopes) if tokens.scopes is None else tokens.scopes
        log.debug("code exchanged", extra={"scopes": sorted(scopes)})
        try:
            identity = await self._identify(tokens, scopes)
            grant = Grant(attempt.issuer, identity.subject, tokens, scopes)
            return await self._keep(grant, identity.profile, record, replaced_session)
        except WebexOAuthError:
            await revoke_tokens(self._context, tokens)
            raise

    def _check_unmoved(self, attempt: Attempt) -> None:
        """Refuse an attempt that was begun under another configuration."""
        server, client = self._context.platform.server, self._context.client
        if (attempt.issuer, attempt.redirect_uri) != (server.issuer, client.redirect_uri):
            raise IssuerMismatch("the attempt was begun at another authorization server")

    async def _exchange(self, code: AuthorizationCode, verifier: Secret) -> TokenSet:
        context = self._context
        requested_at = context.clock()
        request = code_request(context.platform.server, context.client, code, verifier)
        response = await context.transport.send(request, TOKEN_LIMITS)
        return read_token_response(context.platform.server, response, requested_at)

    async def _identify(self, tokens: TokenSet, scopes: frozenset[str]) -> _Identity:
        if permits(scopes, PEOPLE_READ):
            try:
                person = await self._ask_who(tokens.access_token)
            except AccessForbidden:
                log.warning("Webex will not say who signed in")
            else:
                return _Identity(person.subject, _profile(person))
        random_bytes = self._context.randomness(UNNAMED_SUBJECT_BYTES)
        return _Identity(UNNAMED_SUBJECT_PREFIX + random_bytes.hex(), Profile())

    async def _ask_who(self, access_token: Secret) -> Person:
        context, call = self._context, people.me()
        request = api_request(context.platform, call, access_token)
        response = await context.transport.send(request, API_LIMITS)
        return read_api_response(call, response, context.clock())

    async def _keep(
        self, grant: Grant, profile: Profile, attempt: AttemptRecord, replaced_session: bytes | None
    ) -> Secret:
        context, now = self._context, self._context.clock()
        session_id = context.random_secret()
        key = grant_key(grant.issuer, grant.subject)
        session = Session(
            digest=digest(session_id),
            grant_key=key,
            profile=profile,
            created_at=now,
            seen_at=now,
            expires_at=now + context.absolute_seconds,
        )
        session_record = seal_session(context.sealer, session)
        for _ in range(ADMISSION_TRIES):
            earlier = await context.store.find_grant(key)
            try:
                ended = await context.store.admit(
                    Admission(
                        grant=seal_grant(context.sealer, grant, earlier),
                        expected_version=earlier.version if earlier else ABSENT,
                        session=session_record,
                        attempt_state_digest=attempt.state_digest,
                        replaced_session=replaced_session,
                        idle_seconds=context.idle_seconds,
                    )
                )
            except StoreConflict:
                continue
            await self._give_back(ended)
            log.info("signed in", extra={"grant": key.hex()[:12]})
            return session_id
        raise StoreConflict("the grant kept moving")

    async def _give_back(self, ended: EndedSession | None) -> None:
        """Revoke what the browser's earlier session alone had used."""
        if ended is not None and ended.grant is not None:
            await revoke_grant(self._context, ended.grant)


def _profile(person: Person) -> Profile:
    return Profile(
        person_id=person.id,
        display_name=person.display_name,
        email=person.emails[0] if person.emails else None,
        avatar=person.avatar,
        org_id=person.org_id,
    )
