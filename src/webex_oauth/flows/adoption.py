"""Adoption: tokens that were issued elsewhere to this integration become a grant that is held."""

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace

from webex_oauth.errors import AccessTokenRefused, ReauthRequired, StoreUnavailable
from webex_oauth.flows.code_redemption import UNNAMED_SUBJECT_PREFIX, CodeRedemption
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.person_api import PersonApi
from webex_oauth.flows.revocation import is_shared
from webex_oauth.oauth.authorization import check_scopes
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Grant, check_secret, digest, new_version
from webex_oauth.vault.rows import Entry
from webex_oauth.vault.vault import Vault
from webex_oauth.webex import people

ENDED_REMEDY: Final = "give the refresh token too, or let the person sign in"


class Adoption:
    """Keep tokens once Webex has said whose they are."""

    def __init__(self, context: FlowContext, vault: Vault, redemption: CodeRedemption) -> None:
        self._context = context
        self._vault = vault
        self._redemption = redemption

    async def adopt(
        self,
        access_token: Secret,
        refresh_token: Secret | None,
        *,
        scopes: Collection[str],
        expires_in: int | None,
    ) -> bytes:
        """Keep and hold tokens that were issued elsewhere; return the key of the grant.

        An access token that has ended is refreshed first. Webex is asked whose the tokens are, for
        which they need spark:people_read. Raises ApiError, UpstreamError, TokenError,
        ReauthRequired, StoreError or VaultError; the tokens are not revoked, and a caller may try
        again with the same ones, also where the refresh has spent them. Raises TypeError or
        ValueError for what cannot be a token.
        """
        check_secret(access_token)
        if refresh_token is not None:
            check_secret(refresh_token)
        check_scopes(scopes)
        issuer, now = self._context.platform.server.issuer, self._context.clock()
        ends_at = None if expires_in is None else now + int(expires_in)
        tokens = TokenSet(access_token, ends_at, refresh_token or None, None, frozenset(scopes))
        grant = Grant(issuer, "", tokens, frozenset(scopes), now)
        if ends_at is None or ends_at > now:
            try:
                return await self._redemption.hold(grant, await self._redemption.person_of(grant))
            except AccessTokenRefused as error:
                refused = error
        else:
            refused = AccessTokenRefused(401, "the access token has ended")
        if not refresh_token:
            refused.remedy = ENDED_REMEDY
            raise refused
        return await self._refreshed(grant, refresh_token)

    async def _refreshed(self, grant: Grant, refresh_token: Secret) -> bytes:
        """Refresh *grant* in a row that is named by its refresh token until its person is known.

        A server that rotates takes that token once. So its row comes first, in which the vault
        loses nothing, and whoever adopts the same tokens again goes on from what is in it.
        """
        context, ledger = self._context, self._context.ledger
        subject = UNNAMED_SUBJECT_PREFIX + digest(refresh_token).hex()
        ended = replace(grant.tokens, access_expires_at=context.clock())
        unnamed = replace(grant, subject=subject, tokens=ended, is_held=True)
        unnamed = new_version(unnamed, None, context.randomness)
        await ledger.replace_grant(Entry(unnamed, 0), unnamed, durably=True)
        try:
            person = await PersonApi(context, self._vault, unnamed.key).call(people.me())
        except ReauthRequired:
            found = await ledger.find_grant(unnamed.key)
            if found is not None and is_shared(found.record.tokens, grant.tokens):
                await ledger.drop_grant(found)
            raise
        stored, held = await ledger.find_grant(unnamed.key), await self._vault.grant(unnamed.key)
        if stored is None or stored.record.version != held.version:
            raise StoreUnavailable("the tokens that came are not stored yet")
        return await self._redemption.hold(stored.record, person, stored)
