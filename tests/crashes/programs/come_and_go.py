"""Sign people in, use their grants and sign them out, until it is killed.

The errand comes in the first line of the input. What is begun and what is done are lines of the
output, each written before anything that follows from it.
"""

import asyncio
import random
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
from crashes.workers import Errand
from storm.clock_file import ClockFile
from storm.refresh_rows import is_of_refresh

from webex_oauth.emulator import Visitor
from webex_oauth.errors import ReauthRequired, StoreUnavailable, UpstreamError, WebexOAuthError
from webex_oauth.flows.sign_in import HOME, NotSignedIn, SignedIn
from webex_oauth.integration import OpenIntegration, open_integration
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.opening.store_urls import rows_at
from webex_oauth.secret import Secret
from webex_oauth.vault.rows import Change, Rows

MOST_SESSIONS = 3
COMING_SHARE = 0.15
GOING_SHARE = 0.15
PAUSE_SECONDS = 0.005
REFUSED_EVERY = 15
"""Of so many writes of refreshes one is refused, and one is carried out but reported as failed."""


class UnreliableRows:
    """Does not take all tokens at once, so that some wait in the spool."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._write_count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        """Write, fail to write, or write and fail to say so."""
        if not is_of_refresh(changes, durably=durably):
            return await self._rows.apply(changes, durably=durably)
        self._write_count += 1
        turn = self._write_count % REFUSED_EVERY
        if turn == 0:
            raise StoreUnavailable("refused for once")
        is_done = await self._rows.apply(changes, durably=True)
        if turn == REFUSED_EVERY // 2:
            raise StoreUnavailable("done, and not said so")
        return is_done


def tell(*words: str) -> None:
    print(*words, flush=True)


async def come(integration: OpenIntegration, email: str) -> list[Secret]:
    """Sign in; give the session's id, if it came to one."""
    tell("comes")
    try:
        started = integration.sign_in.begin(HOME)
        allow = partial(Visitor().sign_in, started.authorization_url, email)
        callback_url = await asyncio.to_thread(allow)
        outcome = await integration.sign_in.complete(
            read_callback(callback_url.partition("?")[2].encode()),
            attempt=started.attempt,
            session_id=None,
        )
    except WebexOAuthError as error:
        outcome = NotSignedIn(error, HOME)
    if isinstance(outcome, SignedIn):
        assert outcome.session_id
        tell("came", outcome.session_id.reveal())
        return [outcome.session_id]
    assert isinstance(outcome, NotSignedIn)
    tell("stays", type(outcome.error).__name__)
    return []


async def use(integration: OpenIntegration, session_id: Secret) -> None:
    try:
        session = await integration.sessions.find(session_id)
        if session is None:
            tell("missing", session_id.reveal())
            return
        await integration.vault.access_token(session.grant_key)
    except ReauthRequired as error:
        tell("needs", error.reason)
    except (UpstreamError, StoreUnavailable) as error:
        tell("waits", type(error).__name__)
    else:
        tell("used")


async def go(integration: OpenIntegration, session_id: Secret) -> None:
    tell("leaves", session_id.reveal())
    try:
        await integration.sessions.sign_out(session_id)
    except StoreUnavailable as error:
        tell("waits", type(error).__name__)
    else:
        tell("left", session_id.reveal())


async def come_and_go(
    integration: OpenIntegration,
    emails: tuple[str, ...],
    sessions: list[Secret],
    chance: random.Random,
) -> None:
    """Act without end as some browsers, which share their sessions with no one."""
    while True:
        if not sessions or (len(sessions) < MOST_SESSIONS and chance.random() < COMING_SHARE):
            sessions += await come(integration, chance.choice(emails))
        elif chance.random() < GOING_SHARE:
            await go(integration, sessions.pop(chance.randrange(len(sessions))))
        else:
            await use(integration, chance.choice(sessions))
        await asyncio.sleep(PAUSE_SECONDS)


async def main() -> None:
    errand = msgspec.json.decode(sys.stdin.readline(), type=Errand)
    rows = cast("Rows", UnreliableRows(rows_at(errand.store_url)))
    clock = ClockFile(Path(errand.clock_file))
    known = [Secret(session_id) for session_id in errand.session_ids]
    async with (
        open_integration(errand.settings, rows=rows, clock=clock) as integration,
        asyncio.TaskGroup() as tasks,
    ):
        for number in range(errand.browser_count):
            sessions = known[number :: errand.browser_count]
            chance = random.Random(f"{errand.seed} {number}")  # noqa: S311 - no secret
            tasks.create_task(come_and_go(integration, errand.emails, sessions, chance))


if __name__ == "__main__":
    asyncio.run(main())
