"""The parts of a flow: a scripted Webex, a store in memory, a clock that stands still."""

import asyncio
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ledgers import revocations

from webex_oauth.flows.adoption import Adoption
from webex_oauth.flows.code_redemption import CodeRedemption
from webex_oauth.flows.context import Bulkhead, FlowContext
from webex_oauth.flows.person_api import PersonApi
from webex_oauth.flows.revocation import Revocations
from webex_oauth.flows.sessions import Sessions
from webex_oauth.flows.sign_in import SignIn
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.server import Client
from webex_oauth.ports import Limits
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Revocation
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.vault import Vault
from webex_oauth.webex.platform import platform

NOW = 1_800_000_000
IDLE_SECONDS = 600
ABSOLUTE_SECONDS = 3_600
PLATFORM = platform("http://localhost:8090")
CLIENT = Client("client-id", Secret("client-secret"), "http://localhost:8080/oauth")
SCOPES = ("spark:people_read", "spark:rooms_read")
TOKEN_URL = PLATFORM.server.token_endpoint
REVOCATION_URL = str(PLATFORM.server.revocation_endpoint)
API_PLACES = 4
BULKHEAD_SECONDS = 0.2
NO_FOLDER = Path(os.devnull) / "spool"
PERSON_URL = f"{PLATFORM.api_base_url}people/me"

Line = HttpResponse | Exception


def answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    """Answer with JSON."""
    content_type = {"content-type": "application/json"}
    return HttpResponse(status, content_type | headers, json.dumps(body).encode())


def issued(number: int = 1, **members: object) -> HttpResponse:
    """Issue the tokens with this number."""
    whole = {
        "access_token": f"access-token-{number}",
        "refresh_token": f"refresh-token-{number}",
        "token_type": "Bearer",
        "expires_in": 1_209_599,
        "refresh_token_expires_in": 7_775_999,
        "scope": " ".join(SCOPES),
    }
    return answer({name: value for name, value in (whole | members).items() if value is not None})


ALICE = answer({"id": "id-of-alice", "displayName": "Alice", "emails": ["alice@acme.example"]})
REVOKED = HttpResponse(200)


class UnexpectedRequest(AssertionError):
    """Say that a flow asked Webex for something that the script does not know."""


@dataclass
class ScriptedWebex:
    """Answer by URL, one line after the other; the last line of a URL repeats.

    When it `is_silent` no answer comes before the deadline.
    """

    lines: dict[str, list[Line]] = field(default_factory=dict)
    requests: list[HttpRequest] = field(default_factory=list)
    is_silent: bool = False

    def script(self, url: str, *lines: Line) -> None:
        """Answer *url* with these lines from now on."""
        self.lines[url] = list(lines)

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        self.requests.append(request)
        if self.is_silent:
            await asyncio.sleep(limits.deadline_seconds)
        lines = self.lines.get(request.url)
        if not lines:
            raise UnexpectedRequest(f"{request.method} {request.url}")
        line = lines.pop(0) if len(lines) > 1 else lines[0]
        if isinstance(line, Exception):
            raise line
        return line

    def forms(self, url: str) -> list[dict[str, str]]:
        """List the forms that were posted to *url*."""
        bodies = [request.body.decode() for request in self.requests if request.url == url]
        return [dict(parse_qsl(body)) for body in bodies]


class FlowFixture:
    """Every flow over one store, one clock and one scripted Webex, which issues and knows Alice."""

    def __init__(
        self,
        *,
        ledger_type: type[Ledger] = Ledger,
        transport: Any = None,
        keeps_grants: bool = False,
        absolute_seconds: int = ABSOLUTE_SECONDS,
    ) -> None:
        self.now = NOW
        self.webex = ScriptedWebex()
        self.webex.script(TOKEN_URL, issued())
        self.webex.script(PERSON_URL, ALICE)
        self.webex.script(REVOCATION_URL, REVOKED)
        self.rows = MemoryRows()
        sealer = Sealer(KeyRing(Key("one", os.urandom(32))), os.urandom)
        self.ledger = ledger_type(self.rows, sealer, IDLE_SECONDS)
        self.context = FlowContext(
            platform=PLATFORM,
            client=CLIENT,
            ledger=self.ledger,
            sealer=sealer,
            transport=transport or self.webex,
            clock=lambda: self.now,
            randomness=os.urandom,
            idle_seconds=IDLE_SECONDS,
            absolute_seconds=absolute_seconds,
            keeps_grants=keeps_grants,
            api_bulkhead=Bulkhead(API_PLACES, wait_seconds=BULKHEAD_SECONDS),
        )
        self.revocations = Revocations(self.context)
        self.redemption = CodeRedemption(self.context, SCOPES, self.revocations)
        self.sign_in = SignIn(self.context, SCOPES, self.redemption)
        self.sessions = Sessions(self.context, self.revocations)

    @cached_property
    def vault(self) -> Vault:
        """Hand out tokens; its rescue is never opened, for nothing here has to outlive a test."""
        context = self.context
        rescue = Rescue(NO_FOLDER, self.ledger, context.clock, os.urandom)
        return Vault(
            self.ledger,
            context.transport,
            PLATFORM.server,
            CLIENT,
            context.clock,
            rescue=rescue,
            randomness=os.urandom,
            sign_in_url="http://localhost:8080/login",
        )

    @property
    def adoption(self) -> Adoption:
        """Keep tokens that were issued elsewhere."""
        return Adoption(self.context, self.vault, self.redemption)

    def api(self, key: bytes) -> PersonApi:
        """Call Webex with one grant."""
        return PersonApi(self.context, self.vault, key)

    def revoked(self) -> list[str]:
        """List the tokens whose revocation was asked for."""
        return [form["token"] for form in self.webex.forms(REVOCATION_URL)]

    async def queued(self) -> list[Revocation]:
        """List the revocations that wait."""
        return await revocations(self.ledger)
