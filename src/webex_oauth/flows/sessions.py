"""Sessions: find the one that a browser presents, and end it."""

import logging
from dataclasses import dataclass

from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.revocation import revoke_grant
from webex_oauth.secret import Secret
from webex_oauth.vault.records import digest
from webex_oauth.vault.sessions import Profile, is_live, is_touch_due, open_session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A signed-in browser, and whose grant it uses."""

    session_id: Secret
    grant_key: bytes
    profile: Profile


class Sessions:
    """Find and end sessions."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context

    async def find(self, session_id: Secret) -> LiveSession | None:
        """Find the live session with this id; raises StoreUnavailable or VaultError."""
        context, now = self._context, self._context.clock()
        record = await context.store.find_session(digest(session_id))
        if record is None or not is_live(record, now, context.idle_seconds):
            return None
        session = open_session(context.sealer, record)
        if is_touch_due(record, now, context.idle_seconds):
            await context.store.touch_session(record.digest, now)
        return LiveSession(session_id, session.grant_key, session.profile)

    async def sign_out(self, session_id: Secret) -> bool | None:
        """End a session here first; then revoke its tokens if nobody else uses them.

        Says whether Webex confirmed; None when it was not asked, for another session of the
        person still uses the tokens. Raises StoreUnavailable.
        """
        context = self._context
        ended = await context.store.end_session(
            digest(session_id), now=context.clock(), idle_seconds=context.idle_seconds
        )
        log.info("signed out")
        if ended is None:
            return False
        if ended.grant is None:
            return None
        return await revoke_grant(context, ended.grant)
