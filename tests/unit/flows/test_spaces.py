"""A list of spaces costs memory for the page at hand, however long it is."""

import json
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from unit.flows.fixtures import PLATFORM, FlowFixture
from unit.flows.signing_in import sign_in

from webex_oauth.errors import ListTooLong
from webex_oauth.flows.person_api import spaces
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits
from webex_oauth.webex.api import MAX_PAGES

pytestmark = pytest.mark.anyio

ROOMS_ON_A_PAGE = 200
ROOMS_URL = f"{PLATFORM.api_base_url}rooms"


class LongList:
    """Stand before Webex and have that many pages of rooms; None for a list without end."""

    def __init__(self, fixture: FlowFixture, page_count: int | None) -> None:
        self._inner = fixture.webex.send
        self._page_count = page_count
        self.asked = 0

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        if not request.url.startswith(ROOMS_URL):
            return await self._inner(request, limits)
        self.asked += 1
        first = self.asked * ROOMS_ON_A_PAGE
        items = [{"id": f"{first + at:0>400}", "title": "x"} for at in range(ROOMS_ON_A_PAGE)]
        headers = {"content-type": "application/json"}
        if self.asked != self._page_count:
            headers["link"] = f'<{ROOMS_URL}?cursor={self.asked}>; rel="next"'
        return HttpResponse(200, headers, json.dumps({"items": items}).encode())


async def listed(page_count: int | None) -> AsyncIterator[int]:
    fixture = FlowFixture()
    api = fixture.api((await sign_in(fixture)).grant_key)
    long_list = LongList(fixture, page_count)
    fixture.webex.send = long_list.send  # type: ignore[method-assign]  # it stands before Webex
    async for batch in spaces(api):
        yield len(batch.rooms)


async def peak_bytes(page_count: int) -> int:
    tracemalloc.start()
    try:
        assert [count async for count in listed(page_count)] == [ROOMS_ON_A_PAGE] * page_count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_a_list_ten_times_as_long_takes_the_same_memory() -> None:
    await peak_bytes(5)

    assert await peak_bytes(60) < 1.2 * await peak_bytes(6)


@pytest.mark.bound("pages of a list")
async def test_a_list_without_end_is_left_and_says_so() -> None:
    counts: list[int] = []

    async def read() -> None:
        async for count in listed(None):
            counts.append(count)  # noqa: PERF401 - what came before the end is looked at

    with pytest.raises(ListTooLong):
        await read()

    assert counts == [ROOMS_ON_A_PAGE] * (MAX_PAGES + 1)
