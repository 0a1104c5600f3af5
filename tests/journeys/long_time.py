"""A world where time passes only when somebody sleeps: years go by in seconds.

The emulator judges with its own clock and its own books; nothing goes over a network. A vault that
waits for another looks again at once, as waiting takes nobody's time here.
"""

import asyncio
import os
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from ledgers import grants
from starlette.types import Message

from webex_oauth.emulator import Emulator, Options, Origins
from webex_oauth.emulator.conditions import MovableClock
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.housekeeping import Keeper
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.server import Client
from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import Limits
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.ledger import Admission, Ledger
from webex_oauth.vault.plan import Timing
from webex_oauth.vault.records import Grant, Profile, Session, new_version
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.vault import Vault
from webex_oauth.webex.platform import platform

ORIGIN = "http://localhost:8090"
START = 1_800_000_000
DAY = 86_400


class TimeIsUp(Exception):
    """Say that the time to be looked at is over."""


class LongTime:
    """An emulator, a store with people's grants, a vault and a keeper, all on one clock."""

    def __init__(self, rows: MemoryRows | None = None, **options: object) -> None:
        self.now = float(START)
        self.ends_at = float("inf")
        self.emulator = Emulator(
            Origins.at(ORIGIN, ORIGIN),
            clock=MovableClock(stopped_at=START),
            options=Options(access_token_quota=0, **options),  # type: ignore[arg-type]  # passed on
        )
        self.asked_at: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.keys: list[bytes] = []
        sealer = Sealer(KeyRing(Key("one", os.urandom(32))), os.urandom)
        self.ledger = Ledger(rows or MemoryRows(), sealer, DAY)
        integration = self.emulator.integration
        client = Client(
            integration.client_id, Secret(integration.client_secret), integration.redirect_uris[0]
        )
        self.context = FlowContext(
            platform=platform(ORIGIN),
            client=client,
            ledger=self.ledger,
            sealer=sealer,
            transport=self,
            clock=lambda: int(self.now),
            randomness=os.urandom,
            idle_seconds=DAY,
            absolute_seconds=DAY,
        )
        self.vault = self.another_vault()
        self.keeper = Keeper(self.context, self.vault, sleep=self.sleep)

    def another_vault(self) -> Vault:
        """Make one more vault over the same store, as another process has."""
        context = self.context
        rescue = Rescue(Path(os.devnull) / "spool", self.ledger, context.clock, os.urandom)
        return Vault(
            self.ledger,
            self,
            context.platform.server,
            context.client,
            context.clock,
            rescue=rescue,
            randomness=os.urandom,
            sign_in_url=f"{ORIGIN}/login",
            timing=Timing(first_poll_seconds=0, last_poll_seconds=0),
        )

    async def sleep(self, seconds: float) -> None:
        """Make time pass for everybody."""
        self.now += seconds
        self.emulator.clock.set(int(self.now))
        if self.now >= self.ends_at:
            raise TimeIsUp
        await asyncio.sleep(0)

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        """Hand a request to the emulator."""
        self.asked_at.append(self.now)
        async with asyncio.timeout(limits.deadline_seconds):
            response = await self._ask(request)
        self.statuses[response.status] += 1
        return response

    async def admit(self, count: int) -> None:
        """Make so many people have signed in just now."""
        for number in range(count):
            await self._admit(f"person-{number}")

    async def grants(self) -> list[Grant]:
        """Read all grants."""
        return await grants(self.ledger)

    async def living_count(self) -> int:
        """Count the grants whose refresh token the emulator would take now."""
        tokens = [grant.tokens.refresh_token for grant in await self.grants()]
        return sum(
            self.emulator.tokens.is_active(token.reveal()) for token in tokens if token is not None
        )

    async def _admit(self, subject: str) -> None:
        server, now = self.context.platform.server, int(self.now)
        person = next(iter(self.emulator.world.people))
        issued = self.emulator.grant_without_consent(person)
        assert issued.refresh_token is not None
        tokens = TokenSet(
            access_token=Secret(issued.access_token.value),
            access_expires_at=issued.access_token.expires_at,
            refresh_token=Secret(issued.refresh_token.value),
            refresh_expires_at=issued.refresh_token.expires_at,
            scopes=None,
        )
        grant = Grant(server.issuer, subject, tokens, frozenset(issued.grant.scopes), now)
        self.keys.append(grant.key)
        state_digest = os.urandom(32)
        await self.ledger.admit(
            Admission(
                mark=await self.ledger.take_state(state_digest, now + DAY, now),
                state_digest=state_digest,
                grant=new_version(grant, None, os.urandom),
                over=0,
                session=Session(os.urandom(32), grant.key, Profile(), now, now, now + DAY),
                earlier=None,
                replaced_session=None,
                keeps_grants=True,
                at=now,
            )
        )

    async def _ask(self, request: HttpRequest) -> HttpResponse:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.emulator.front_door(_scope(request), receive, send)
        headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return HttpResponse(sent[0]["status"], headers, body)


def _scope(request: HttpRequest) -> dict[str, object]:
    parts = urlsplit(request.url)
    headers = {"host": parts.netloc, "content-length": str(len(request.body)), **request.headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": parts.scheme,
        "method": request.method,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
