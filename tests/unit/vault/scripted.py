"""A transport that answers from a script, and the parts of a vault around it."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import Limits
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.grants import Grant, open_grant, seal_grant
from webex_oauth.vault.records import GrantRecord, SessionRecord, grant_key
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.store import ABSENT, Admission
from webex_oauth.vault.vault import Vault

NOW = 1_800_000_000
ISSUER = "https://idbroker.example"
SERVER = AuthorizationServer(
    issuer=ISSUER,
    authorization_endpoint="https://webex.example/v1/authorize",
    token_endpoint="https://webex.example/v1/access_token",
)
CLIENT = Client("client", Secret("client-secret"), "http://localhost:8080/oauth")
SCOPES = frozenset({"spark:rooms_read"})
ALICE = grant_key(ISSUER, "alice")

Answer = HttpResponse | Exception


def issued(number: int, **changes: object) -> HttpResponse:
    """Issue access token *number* and the refresh token that Webex always repeats."""
    fields = {
        "access_token": f"access-{number}",
        "expires_in": 1_209_599,
        "refresh_token": "refresh-1",
        "refresh_token_expires_in": 7_775_999,
        "token_type": "Bearer",
        **changes,
    }
    return answer(200, {name: value for name, value in fields.items() if value is not None})


def answer(status: int, fields: dict[str, object]) -> HttpResponse:
    headers = {"content-type": "application/json"}
    return HttpResponse(status, headers, json.dumps(fields).encode())


INVALID_GRANT = answer(400, {"error": "invalid_grant"})


@dataclass(slots=True)
class ScriptedTransport:
    """Answer one request after the other; wait at the gate before each answer."""

    script: list[Answer]
    requests: list[HttpRequest] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    before_answer: Callable[[], object] = field(default=lambda: None)

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        """Give the next line of the script."""
        self.requests.append(request)
        self.asked.set()
        async with asyncio.timeout(limits.deadline_seconds):
            await self.gate.wait()
        self.before_answer()
        line = self.script.pop(0)
        if isinstance(line, Exception):
            raise line
        return line

    def presented(self) -> list[str]:
        """List the refresh tokens that were sent."""
        return [parse_qs(request.body.decode())["refresh_token"][0] for request in self.requests]


@dataclass(slots=True)
class Clock:
    """Stand still unless moved."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


class FailingStore(MemoryStore):
    """Raise what it is told to when a grant is replaced."""

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self.failures = list(failures)

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        """Fail while there are failures left."""
        if self.failures:
            raise self.failures.pop(0)
        await super().replace_grant(record, expected_version)


class PausingStore(MemoryStore):
    """Let one reader read, and hold it up with what it has read."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = asyncio.Event()
        self.gate = asyncio.Event()

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        """Find a grant; the first to do so waits at the gate."""
        found = await super().find_grant(key)
        if found is not None and not self.paused.is_set():
            self.paused.set()
            await self.gate.wait()
        return found


class House:
    """A vault with one grant in it, and everything it was made of."""

    def __init__(self, *script: Answer, store: MemoryStore | None = None) -> None:
        self.transport = ScriptedTransport(list(script))
        self.transport.gate.set()
        self.clock = Clock()
        self.store = MemoryStore() if store is None else store
        self.sealer = Sealer(KeyRing(Key("one", os.urandom(32))), os.urandom)
        self.vault = self.another_vault()

    def another_vault(self) -> Vault:
        """Make a second vault over the same store, as another process has."""
        return Vault(self.store, self.sealer, self.transport, SERVER, CLIENT, self.clock)

    async def admit(self, tokens: TokenSet) -> None:
        """Sign alice in."""
        found = await self.store.find_grant(ALICE)
        record = seal_grant(self.sealer, Grant(ISSUER, "alice", tokens, SCOPES), found)
        session = SessionRecord(os.urandom(32), ALICE, b"", NOW, NOW, NOW + 60)
        version = ABSENT if found is None else found.version
        await self.store.admit(Admission(record, version, session, b"", None, 60))

    async def held(self) -> Grant:
        """Read what the store has of alice."""
        record = await self.store.find_grant(ALICE)
        assert record is not None
        return open_grant(self.sealer, record)


def tokens(
    access: str = "access-1", *, lives_for: int | None = -1, refresh: str | None = "refresh-1"
) -> TokenSet:
    """Make tokens whose access token lives that many seconds more."""
    return TokenSet(
        access_token=Secret(access),
        access_expires_at=None if lives_for is None else NOW + lives_for,
        refresh_token=None if refresh is None else Secret(refresh),
        refresh_expires_at=NOW + 1_000_000,
        scopes=SCOPES,
    )
