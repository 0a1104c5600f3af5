"""A vault around fakes: a token endpoint with a script of answers, rows that fail when told to."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qs

from msgspec.structs import replace
from waiting import LIMIT_SECONDS

from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import Limits
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.ledger import Admission, Ledger
from webex_oauth.vault.plan import Timing
from webex_oauth.vault.records import Grant, Lease, Profile, Session, grant_key, new_version
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.rows import Change, Entry, Kind, Row
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
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
FIRST, SECOND, THIRD = (Secret(f"access-{number}") for number in (1, 2, 3))

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

Answer: TypeAlias = HttpResponse | Exception
Step: TypeAlias = Exception | Callable[[], object]
"""What happens before or after a call of the rows: it fails, or something else is done first."""


def tokens(
    access: str = "access-1", *, lives_for: int | None = -1, refresh: str | None = "refresh-1"
) -> TokenSet:
    """Return tokens whose access token lives that many seconds more."""
    return TokenSet(
        access_token=Secret(access),
        access_expires_at=None if lives_for is None else NOW + lives_for,
        refresh_token=None if refresh is None else Secret(refresh),
        refresh_expires_at=NOW + 1_000_000,
        scopes=SCOPES,
    )


def issued(number: int, **changes: object) -> HttpResponse:
    """Return an answer with access token *number* and the refresh token that Webex repeats."""
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
class FakeEndpoint:
    """A transport that gives one answer of its script after the other.

    It waits for its `gate` to be set before each.
    """

    script: list[Answer]
    requests: list[HttpRequest] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    before_answer: Callable[[], object] = field(default=lambda: None)

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        self.requests.append(request)
        self.asked.set()
        async with asyncio.timeout(limits.deadline_seconds):
            await self.gate.wait()
        happened = self.before_answer()
        if isawaitable(happened):
            await happened
        line = self.script.pop(0)
        if isinstance(line, Exception):
            raise line
        return line

    @classmethod
    def opened(cls, *script: Answer) -> Self:
        """Return one that answers at once."""
        endpoint = cls(list(script))
        endpoint.gate.set()
        return endpoint

    def presented(self) -> list[str]:
        """List the refresh tokens that were sent."""
        return [parse_qs(request.body.decode())["refresh_token"][0] for request in self.requests]

    async def reached(self) -> None:
        """Wait until a request is on its way, and every caller has come as far as it can."""
        async with asyncio.timeout(LIMIT_SECONDS):
            await self.asked.wait()
        for _ in range(5):
            await asyncio.sleep(0)


@dataclass(slots=True)
class Clock:
    """A clock that stands still unless moved."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


class FakeRows(MemoryRows):
    """Rows with a plan of what happens `before` and `after` calls, by their names.

    A call that writes a grant is named after what it changes: admit, claim, renew, release, tokens,
    reason, refuse; the others are read, revoke and write. `grants` are those that were written.
    """

    def __init__(self, sealer: Sealer) -> None:
        super().__init__()
        self._ledger = Ledger(self, sealer, 60)
        self.before: dict[str, list[Step]] = {}
        self.after: dict[str, list[Step]] = {}
        self.calls: list[str] = []
        self.grants: list[Grant] = []

    async def read(self, *rows: Row) -> Sequence[Row]:
        if rows[0].kind is not Kind.GRANT:
            return await super().read(*rows)
        self.calls.append("read")
        await _next_step(self.before, "read")
        found = await super().read(*rows)
        await _next_step(self.after, "read")
        return found

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        name, grant = self._name_of(changes)
        self.calls.append(name)
        await _next_step(self.before, name)
        is_done = await super().apply(changes, durably=durably)
        if grant is not None and is_done:
            self.grants.append(grant)
        await _next_step(self.after, name)
        return is_done

    def drop(self, key: bytes) -> None:
        """Delete a grant in the middle of things."""
        self._rows.pop((Kind.GRANT, key))

    def _name_of(self, changes: Sequence[Change]) -> tuple[str, Grant | None]:
        change, *others = (one for one in changes if one.row.kind is not Kind.EVENT)
        if others:
            return "admit", None
        if change.row.kind is Kind.REVOCATION:
            return "revoke", None
        stored = self._read(change.row)
        if change.row.kind is not Kind.GRANT or not (change.row.rev and stored.rev):
            return "write", None
        old, new = (self._ledger.open_grant(row.name, row.body) for row in (stored, change.row))
        return _change_of(old, new), new


def _change_of(old: Grant, new: Grant) -> str:
    if old.version != new.version:
        return "tokens" if new.reauth_reason is None else "reason"
    if old.is_access_refused != new.is_access_refused:
        return "refuse"
    if new.lease is None:
        return "release" if old.lease else "write"
    return "renew" if new.trouble == old.trouble else "claim"


async def _next_step(steps: dict[str, list[Step]], name: str) -> None:
    if not steps.get(name):
        return
    step = steps[name].pop(0)
    if isinstance(step, Exception):
        raise step
    happened = step()
    if isawaitable(happened):
        await happened


class VaultFixture:
    """A vault with one grant in it, and everything it was made of.

    Without a *folder* its rescue has no disk to write to.
    """

    def __init__(
        self, *script: Answer, rotates: bool | None = False, folder: Path = NO_FOLDER
    ) -> None:
        self.endpoint = FakeEndpoint.opened(*script)
        self.clock = Clock()
        self.server = replace(SERVER, rotates_refresh_tokens=rotates)
        self.sealer = Sealer(KeyRing(Key("one", os.urandom(32))), os.urandom)
        self.rows = FakeRows(self.sealer)
        self.ledger = Ledger(self.rows, self.sealer, 60)
        self.folder = folder
        self.rescue = self.another_rescue()
        self.vault = self.another_vault(self.rescue)

    def another_rescue(self) -> Rescue:
        """Return a second rescue over the same folder, as another process has."""
        return Rescue(self.folder, self.ledger, self.clock, os.urandom)

    def another_vault(
        self,
        rescue: Rescue | None = None,
        *,
        endpoint: FakeEndpoint | None = None,
        timing: Timing = QUICK,
    ) -> Vault:
        """Return a second vault over the same rows, as another process has."""
        return Vault(
            self.ledger,
            endpoint or self.endpoint,
            self.server,
            CLIENT,
            self.clock,
            rescue=rescue or self.another_rescue(),
            randomness=os.urandom,
            sign_in_url=SIGN_IN_URL,
            timing=timing,
        )

    async def admit(self, tokens: TokenSet, *, issued_at: int = NOW) -> None:
        """Sign alice in."""
        earlier, state = await self.ledger.earlier_grant(ALICE), os.urandom(32)
        grant = new_version(alice(tokens, issued_at), earlier.record, os.urandom)
        await self.ledger.admit(
            Admission(
                mark=await self.ledger.take_state(state, NOW + 600, NOW),
                state_digest=state,
                grant=grant,
                over=earlier.rev,
                session=Session(os.urandom(32), ALICE, Profile(), NOW, NOW, NOW + 60),
                earlier=None,
                replaced_session=None,
                keeps_grants=False,
                at=NOW,
            )
        )

    async def claim_as_another(self, *, lease_seconds: int = 30) -> None:
        """Claim alice's grant as a process that is heard of no more."""
        lease = Lease(b"another", self.clock.now + lease_seconds)
        trouble = (await self.stored()).trouble
        presented = replace(trouble, presented_count=trouble.presented_count + 1)
        await self.change(lease=lease, trouble=presented)

    async def change(self, **changes: Any) -> Grant:
        """Write alice's grant with *changes*, as another process may."""
        entry = await self.entry()
        changed = replace(entry.record, **changes)
        assert await self.ledger.replace_grant(entry, changed, durably=True)
        return changed

    async def end(self) -> None:
        """End alice's grant, as a sign-out does."""
        await self.ledger.end_grant(ALICE, self.clock.now)

    async def entry(self) -> Entry[Grant]:
        found = await self.ledger.find_grant(ALICE)
        assert found is not None
        return found

    async def stored(self) -> Grant:
        """Read alice's grant as it is stored."""
        return (await self.entry()).record

    async def trouble(self) -> tuple[int, int, int]:
        """Read what the last refresh left behind: presentations, failures, seconds to wait."""
        grant = await self.stored()
        assert grant.lease is None
        wait_seconds = max(0, grant.trouble.retry_at - self.clock.now)
        return grant.trouble.presented_count, grant.trouble.failure_count, wait_seconds


async def signed_in(
    *script: Answer,
    rotates: bool | None = False,
    folder: Path = NO_FOLDER,
    issued_at: int = NOW,
    **options: Any,
) -> VaultFixture:
    """Return a fixture with alice signed in; *options* are those of her `tokens`."""
    fixture = VaultFixture(*script, rotates=rotates, folder=folder)
    await fixture.admit(tokens(**options), issued_at=issued_at)
    return fixture


def alice(tokens: TokenSet, issued_at: int = NOW) -> Grant:
    return Grant(ISSUER, "alice", tokens, SCOPES, issued_at)
