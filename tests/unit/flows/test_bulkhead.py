"""The bulkhead: a hanging API takes its own places and no others."""

import asyncio

import pytest
from unit.flows.signing_in import sign_in
from unit.flows.workshop import API_PLACES, PERSON_URL, Workshop

from webex_oauth.errors import RequestNotSent
from webex_oauth.flows.bulkhead import API_PLACES as PLACES_IN_SERVICE, Bulkhead
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits
from webex_oauth.transport.pool import MAX_CONNECTIONS
from webex_oauth.webex import people

pytestmark = [pytest.mark.anyio, pytest.mark.check("G07")]

CALLS = API_PLACES + 3


class Gate:
    """Hold every call of the API until it is opened."""

    def __init__(self, workshop: Workshop) -> None:
        self._inner = workshop.webex.send
        self.opened = asyncio.Event()
        self.under_way = 0

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        if request.url == PERSON_URL:
            self.under_way += 1
            await self.opened.wait()
        return await self._inner(request, limits)


async def test_calls_beyond_the_places_are_not_sent_and_say_so() -> None:
    workshop = Workshop()
    api = workshop.api((await sign_in(workshop)).grant_key)
    gate = Gate(workshop)
    workshop.webex.send = gate.send  # type: ignore[method-assign]  # the gate stands before Webex
    calls = [asyncio.create_task(api.call(people.me())) for _ in range(CALLS)]

    done, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED, timeout=5)

    assert gate.under_way == API_PLACES
    assert all(isinstance(one.exception(), RequestNotSent) for one in done)
    gate.opened.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert len([one for one in results if not isinstance(one, Exception)]) == API_PLACES
    assert waiting


async def test_a_place_is_free_again_after_a_failure() -> None:
    bulkhead = Bulkhead(1, wait_seconds=0.01)

    for _ in range(3):
        with pytest.raises(ValueError, match="failed"):
            async with bulkhead:
                raise ValueError("failed")

    async with bulkhead:
        with pytest.raises(RequestNotSent):
            await bulkhead.__aenter__()


def test_the_api_never_takes_every_connection() -> None:
    assert PLACES_IN_SERVICE < MAX_CONNECTIONS
