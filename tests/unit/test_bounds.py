"""Bounds that no other suite reaches: each is met exactly, and what is beyond it is named."""

import asyncio

import pytest
from unit.flows.fixtures import NOW, PERSON_URL, TOKEN_URL, FlowFixture, answer
from unit.flows.signing_in import sign_in
from unit.raw_server import raw_server, say_body

from webex_oauth.emulator.journal import _CAPACITY as JOURNAL_CAPACITY, Entry, Journal
from webex_oauth.errors import RequestNotSent
from webex_oauth.flows.revocation import MAX_HANDED_OVER, Revocations
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import API_LIMITS, PAGE_LIMITS, TOKEN_LIMITS, Limits
from webex_oauth.secret import Secret
from webex_oauth.transport import HttpTransport
from webex_oauth.transport.http_transport import MAX_CONNECTIONS
from webex_oauth.vault.records import Revocation
from webex_oauth.webex import people, rooms

pytestmark = pytest.mark.anyio

NO_TOKENS = TokenSet(Secret("token"), None, None, None, None)
ROOMS_URL = f"{PERSON_URL.removesuffix('people/me')}rooms"


class Measuring:
    """Stand before a scripted Webex, and note the limits of each exchange by its URL."""

    def __init__(self, fixture: FlowFixture) -> None:
        self._inner = fixture.webex.send
        self.limits: dict[str, Limits] = {}

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        self.limits[request.url.partition("?")[0]] = limits
        return await self._inner(request, limits)


@pytest.mark.bound("answer of the token endpoint", "answer to a call", "page of a list")
async def test_each_exchange_has_the_limit_of_its_kind() -> None:
    fixture = FlowFixture()
    measuring = Measuring(fixture)
    fixture.webex.send = measuring.send  # type: ignore[method-assign]  # it stands before Webex
    api = fixture.api((await sign_in(fixture)).grant_key)
    fixture.webex.script(ROOMS_URL, answer({"items": []}))
    fixture.webex.script(f"{ROOMS_URL}?max=5", answer({"items": []}))

    await api.call(people.me())
    await api.first_page(rooms.listing(max_items=5))

    limits = measuring.limits
    assert (limits[TOKEN_URL], limits[PERSON_URL]) == (TOKEN_LIMITS, API_LIMITS)
    assert limits[ROOMS_URL] == PAGE_LIMITS


@pytest.mark.bound("connections to Webex")
async def test_a_call_that_finds_no_connection_is_not_sent() -> None:
    async with raw_server(say_body(b"")) as server, HttpTransport() as transport:
        request = HttpRequest("GET", f"{server.origin}/", {})
        limits = Limits(deadline_seconds=20, max_body_bytes=10)
        calls = [
            asyncio.create_task(transport.send(request, limits)) for _ in range(MAX_CONNECTIONS)
        ]
        await asyncio.sleep(0)

        with pytest.raises(RequestNotSent, match="connections"):
            await transport.send(request, Limits(deadline_seconds=0.01, max_body_bytes=10))
        await asyncio.gather(*calls)


@pytest.mark.bound("revocations handed over")
async def test_what_is_handed_over_beyond_the_bound_stays_in_the_queue() -> None:
    revocations = Revocations(FlowFixture().context)

    for number in range(2 * MAX_HANDED_OVER):
        revocations.soon(Revocation(b"key", number, NO_TOKENS, None, NOW))

    assert revocations._handed_over.qsize() == MAX_HANDED_OVER


@pytest.mark.bound("journal of the emulator")
def test_the_journal_keeps_the_latest_requests() -> None:
    journal = Journal()

    for _ in range(JOURNAL_CAPACITY + 5):
        journal.open(Entry("GET", "/"))

    assert len(journal.entries) == JOURNAL_CAPACITY
