"""All spaces of a person, newest activity first, as they arrive."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from webex_oauth.flows.person_api import PersonApi
from webex_oauth.webex import rooms
from webex_oauth.webex.rooms import LARGEST_PAGE, Room

FIRST_ROOMS = rooms.listing(max_items=100, sort_by="lastactivity")
ALL_ROOMS = rooms.listing(max_items=LARGEST_PAGE, sort_by="lastactivity")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rooms that one answer of Webex brought; after the last batch there are no more."""

    rooms: Sequence[Room]
    is_last: bool


async def spaces(api: PersonApi) -> AsyncGenerator[Batch, None]:
    """Give the person's rooms, the first batch after one answer of Webex.

    A next link keeps the page size of its first page. So where 100 were not all, the list is
    asked for anew with the largest pages, and rooms that were given before are left out: no more
    answers to wait for than the rooms need. Raises what `PersonApi.call` raises.
    """
    first = await api.first_page(FIRST_ROOMS)
    yield Batch(first.items, is_last=first.next_url is None)
    if first.next_url is None:
        return
    seen = {room.id for room in first.items}
    async for page in api.pages(ALL_ROOMS):
        fresh = [room for room in page.items if room.id not in seen]
        seen.update(room.id for room in fresh)
        yield Batch(fresh, is_last=page.next_url is None)
