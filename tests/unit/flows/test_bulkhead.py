"""The bulkhead: a hanging API takes its own places and no others."""

import asyncio

import pytest
from unit.flows.fixtures import API_PLACES, PERSON_URL, FlowFixture
from unit.flows.signing_in import sign_in
from waiting import LIMIT_SECONDS, until_true

from webex_oauth.errors import RequestNotSent
from webex_oauth.flows.context import API_PLACES as PLACES_IN_SERVICE, WAITING_OF_ONE, Bulkhead
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits
from webex_oauth.transport.http_transport import MAX_CONNECTIONS
from webex_oauth.webex import people

pytestmark = [pytest.mark.anyio, pytest.mark.check("G07")]

CALLS = API_PLACES + 3
ALICE, BOB = b"alice", b"bob"


class Gate:
    """Hold every call of the API until it is opened."""

    def __init__(self, fixture: FlowFixture) -> None:
        self._inner = fixture.webex.send
        self.opened = asyncio.Event()
        self.under_way = 0

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        if request.url == PERSON_URL:
            self.under_way += 1
            await self.opened.wait()
        return await self._inner(request, limits)


@pytest.mark.bound("calls of the API under way")
async def test_calls_beyond_the_places_are_not_sent_and_say_so() -> None:
    fixture = FlowFixture()
    api = fixture.api((await sign_in(fixture)).grant_key)
    gate = Gate(fixture)
    fixture.webex.send = gate.send  # type: ignore[method-assign]  # the gate stands before Webex
    calls = [asyncio.create_task(api.call(people.me())) for _ in range(CALLS)]

    await until_true(lambda: sum(call.done() for call in calls) == CALLS - API_PLACES)
    assert gate.under_way == API_PLACES
    assert all(isinstance(call.exception(), RequestNotSent) for call in calls if call.done())
    gate.opened.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert len([one for one in results if not isinstance(one, Exception)]) == API_PLACES


async def test_a_place_is_free_again_after_a_failure() -> None:
    bulkhead = Bulkhead(1, wait_seconds=0.01)

    for _ in range(3):
        with pytest.raises(ValueError, match="failed"):
            async with bulkhead.place(ALICE):
                raise ValueError("failed")

    async with bulkhead.place(ALICE):
        with pytest.raises(RequestNotSent):
            await bulkhead.place(BOB).__aenter__()


@pytest.mark.bound("calls of one person under way")
async def test_one_person_leaves_places_for_the_others() -> None:
    bulkhead = Bulkhead(3, 2, wait_seconds=0.01)

    async with bulkhead.place(ALICE), bulkhead.place(ALICE):
        with pytest.raises(RequestNotSent):
            await bulkhead.place(ALICE).__aenter__()
        async with bulkhead.place(BOB):
            pass


async def test_calls_that_wait_for_a_place_of_one_person_hold_up_no_other() -> None:
    bulkhead = Bulkhead(2, 1, wait_seconds=5)

    async with bulkhead.place(ALICE):
        waiting = asyncio.create_task(bulkhead.place(ALICE).__aenter__())
        await asyncio.sleep(0)
        async with bulkhead.place(BOB):
            pass
        waiting.cancel()
        await asyncio.wait([waiting])
    async with bulkhead.place(ALICE):
        pass


@pytest.mark.bound("calls of one person that wait")
async def test_the_calls_of_one_person_that_wait_are_bounded() -> None:
    bulkhead = Bulkhead(2, 1, wait_seconds=5)

    async with bulkhead.place(ALICE):
        waiting = [
            asyncio.create_task(bulkhead.place(ALICE).__aenter__()) for _ in range(WAITING_OF_ONE)
        ]
        await asyncio.sleep(0)
        with pytest.raises(RequestNotSent, match="one person"):
            await bulkhead.place(ALICE).__aenter__()
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)
        assert not bulkhead._places_of[ALICE].line


async def test_a_place_that_comes_as_its_waiter_leaves_goes_to_the_next() -> None:
    bulkhead = Bulkhead(2, 1, wait_seconds=5)
    held = bulkhead.place(ALICE)
    await held.__aenter__()
    leaving, next_one = (asyncio.create_task(bulkhead.place(ALICE).__aenter__()) for _ in range(2))
    await asyncio.sleep(0)

    await held.__aexit__(None, None, None)
    leaving.cancel()

    await asyncio.wait_for(next_one, LIMIT_SECONDS)
    assert leaving.cancelled()


async def test_a_waiter_that_left_before_its_turn_takes_no_place() -> None:
    bulkhead = Bulkhead(1, wait_seconds=5)

    async with bulkhead.place(ALICE):
        leaving = asyncio.create_task(bulkhead.place(BOB).__aenter__())
        await asyncio.sleep(0)
        leaving.cancel()

    async with bulkhead.place(BOB):
        await asyncio.wait([leaving])
        assert leaving.cancelled()


async def test_nothing_is_remembered_of_those_who_left() -> None:
    bulkhead = Bulkhead()

    for number in range(100):
        async with bulkhead.place(number.to_bytes(32, "big")):
            pass

    assert not bulkhead._places_of


def test_the_api_never_takes_every_connection() -> None:
    assert PLACES_IN_SERVICE < MAX_CONNECTIONS
