"""Ask for one person's access token with many callers at once; print what they got.

The job comes in the first line of the input, and each further line lets them ask.
"""

import asyncio
import hashlib
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from peers.registration import settings_of
from storm.callers import Answers, Job
from storm.clock_file import ClockFile

from webex_oauth.errors import RateLimited, StoreUnavailable, WebexOAuthError
from webex_oauth.integration import open_integration
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits, Transport
from webex_oauth.secret import Secret
from webex_oauth.transport import HttpTransport
from webex_oauth.vault.vault import Vault

INSIST_SECONDS = 20
LOOK_AGAIN_SECONDS = 0.05


@dataclass(slots=True)
class NotingTransport:
    """Note when each request leaves."""

    transport: Transport
    sent_at: list[float] = field(default_factory=list)

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        """Send, as ever."""
        self.sent_at.append(time.monotonic())
        return await self.transport.send(request, limits)


def name(token: Secret) -> str:
    return hashlib.sha256(token.reveal().encode()).hexdigest()


async def ask(vault: Vault, job: Job) -> str | WebexOAuthError:
    try:
        return name(await vault.access_token(job.grant_key))
    except WebexOAuthError as error:
        return error


async def insist(vault: Vault, job: Job) -> str | WebexOAuthError:
    """Ask again where the answer is to come back; on a busy machine a store may be late."""
    async with asyncio.timeout(INSIST_SECONDS):
        while isinstance(  # noqa: ASYNC110 - what is waited for tells nobody
            got := await ask(vault, job), RateLimited | StoreUnavailable
        ):
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return got


async def ask_together(vault: Vault, job: Job) -> Answers:
    one = insist if job.insists else ask
    got = await asyncio.gather(*(one(vault, job) for _ in range(job.caller_count)))
    tokens = [each for each in got if isinstance(each, str)]
    errors = [type(each).__name__ for each in got if not isinstance(each, str)]
    return Answers(dict(Counter(tokens)), dict(Counter(errors)))


async def main() -> None:
    job = msgspec.json.decode(sys.stdin.readline(), type=Job)
    settings = settings_of(job.registration, job.store_url, Path(job.folder))
    clock = ClockFile(Path(job.clock_file)) if job.clock_file else None
    async with HttpTransport() as http:
        transport = NotingTransport(http)
        async with open_integration(settings, transport=transport, clock=clock) as integration:
            print("ready", flush=True)
            while await asyncio.to_thread(sys.stdin.readline):
                answers = await ask_together(integration.vault, job)
                answers = replace(answers, sent_at=transport.sent_at)
                print(msgspec.json.encode(answers).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
