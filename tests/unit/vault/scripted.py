"""A transport that answers from a script, and the parts of a vault around it."""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs

from waiting import LIMIT_SECONDS

from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import Limits
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.grants import Grant, open_grant, seal_grant
from webex_oauth.vault.records import (
    GrantRecord,
    Lease,
    RefreshTrouble,
    RevocationRecord,
    SessionRecord,
    grant_key,
)
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.store import ABSENT, Admission
from webex_oauth.vault.timing import Timing
from webex_oauth.vault.vault import Vault

T = TypeVar("T")

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

SIGN_IN_URL = "http://localhost:8080/login"
NO_FOLDER = Path("/dev/null/spool")
QUICK = Timing(
    takeover_seconds=0.01,
    look_again_seconds=0.05,
    wait_seconds=0.2,
    first_poll_seconds=0.001,
    last_poll_seconds=0.005,
)
"""Bounds for waits that a test lets run out."""

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

    @classmethod
    def opened(cls, *script: Answer) -> Self:
        """Make one that answers at once."""
        transport = cls(list(script))
        transport.gate.set()
        return transport

    def presented(self) -> list[str]:
        """List the refresh tokens that were sent."""
        return [parse_qs(request.body.decode())["refresh_token"][0] for request in self.requests]


@dataclass(slots=True)
class Clock:
    """Stand still unless moved."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


class TroubledStore(MemoryStore):
    """Fail when told to: `before` a method did its work, or `after` it, so that none can tell."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, list[Exception]] = {}
        self.after: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.is_written = asyncio.Event()
        self.on_write: Callable[[], object] = lambda: None

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        """Find a grant, or fail."""
        return await self._do("find", super().find_grant(key))

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        """Claim a grant, or fail."""
        return await self._do("claim", super().claim_grant(seen, lease, now))

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        """Renew a lease, or fail."""
        return await self._do("renew", super().renew_lease(key, version, lease))

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        """Release a grant, or fail."""
        return await self._do("release", super().release_grant(key, version, owner, trouble))

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        """Replace a grant, or fail."""
        await self._do("replace", super().replace_grant(record, expected_version))
        self.is_written.set()
        self.on_write()

    async def add_revocation(self, record: RevocationRecord) -> None:
        """Queue a revocation, or fail."""
        await self._do("revoke", super().add_revocation(record))

    async def _do(self, name: str, work: Coroutine[Any, Any, T]) -> T:
        self.calls.append(name)
        if self.before.get(name):
            work.close()
            raise self.before[name].pop(0)
        result = await work
        if self.after.get(name):
            raise self.after[name].pop(0)
        return result


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


async def begun(transport: ScriptedTransport) -> None:
    """Let every caller come as far as it can."""
    async with asyncio.timeout(LIMIT_SECONDS):
        await transport.asked.wait()
    for _ in range(5):
        await asyncio.sleep(0)


class House:
    """A vault with one grant in it, and everything it was made of.

    Without a *folder* its rescue has no disk to write to.
    """

    def __init__(
        self,
        *script: Answer,
        store: MemoryStore | None = None,
        rotates: bool | None = False,
        folder: Path = NO_FOLDER,
    ) -> None:
        self.transport = ScriptedTransport.opened(*script)
        self.clock = Clock()
        self.store = MemoryStore() if store is None else store
        self.server = replace(SERVER, rotates_refresh_tokens=rotates)
        self.sealer = Sealer(KeyRing(Key("one", os.urandom(32))), os.urandom)
        self.folder = folder
        self.rescue = self.another_rescue()
        self.vault = self.another_vault(self.rescue)

    def another_rescue(self) -> Rescue:
        """Make a second rescue over the same folder, as another process has."""
        return Rescue(self.folder, self.store, self.sealer, self.clock)

    def another_vault(
        self,
        rescue: Rescue | None = None,
        *,
        transport: ScriptedTransport | None = None,
        timing: Timing = QUICK,
    ) -> Vault:
        """Make a second vault over the same store, as another process has."""
        return Vault(
            self.store,
            self.sealer,
            transport or self.transport,
            self.server,
            CLIENT,
            self.clock,
            rescue=rescue or self.another_rescue(),
            randomness=os.urandom,
            sign_in_url=SIGN_IN_URL,
            timing=timing,
        )

    async def admit(self, tokens: TokenSet, *, issued_at: int = 0) -> None:
        """Sign alice in."""
        found = await self.store.find_grant(ALICE)
        grant = Grant(ISSUER, "alice", tokens, SCOPES, issued_at)
        record = seal_grant(self.sealer, grant, found)
        version = ABSENT if found is None else found.version
        session = SessionRecord(os.urandom(32), ALICE, b"", NOW, NOW, NOW + 60)
        await self.store.admit(
            Admission(
                grant=record,
                expected_version=version,
                session=session,
                attempt_state_digest=b"",
                earlier=None,
                replaced_session=None,
                idle_seconds=60,
                keeps_grants=False,
            )
        )

    async def claim_as_another(self, *, lease_seconds: int = 30) -> None:
        """Claim alice's grant as a process that is heard of no more."""
        record = await self.row()
        lease = Lease(b"another", self.clock.now + lease_seconds)
        claimed = await self.store.claim_grant(record, lease, self.clock.now)
        assert claimed is not None

    async def row(self) -> GrantRecord:
        """Read alice's row."""
        record = await self.store.find_grant(ALICE)
        assert record is not None
        return record

    async def trouble(self) -> tuple[int, int, int]:
        """Read what the last refresh left behind: presentations, failures, seconds to wait."""
        record = await self.row()
        assert record.lease_owner is None
        wait_seconds = max(0, record.retry_at - self.clock.now)
        return record.presented_count, record.failure_count, wait_seconds

    async def held(self) -> Grant:
        """Read what the store has of alice."""
        return open_grant(self.sealer, await self.row())


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
