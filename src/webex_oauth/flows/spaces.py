"""All spaces of a person, newest activity first, as they arrive."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
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
    unreadable_count: int = 0


async def first_batch(api: PersonApi) -> Batch:
    """Give what one answer of Webex brings; raises what `PersonApi.call` raises."""
    page = await api.first_page(FIRST_ROOMS)
    if page.next_url is None:
        return Batch(page.items, is_last=True, unreadable_count=page.unreadable_count)
    # What could not be read comes again in the larger pages, and is counted there.
    return Batch(page.items, is_last=False)


async def spaces(api: PersonApi, first: Batch | None = None) -> AsyncGenerator[Batch, None]:
    """Give the person's rooms, beginning with *first* if that was asked for before.

    While a batch is in use, the next is on its way. Raises what `PersonApi.call` raises.
    """
    batch = await first_batch(api) if first is None else first
    async with aclosing(_later_batches(api, batch)) as batches:
        while not batch.is_last:
            following = asyncio.create_task(_next(batches))
            try:
                yield batch
            except GeneratorExit:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                raise
            batch = await following
    yield batch


async def _later_batches(api: PersonApi, first: Batch) -> AsyncGenerator[Batch, None]:
    """Ask for the largest pages.

    A next link keeps the page size of its first page. So where 100 were not all, the list is
    asked for anew with the largest pages, and rooms of the first answer are left out. So are those
    of the page before, from which one slides on when another space becomes active meanwhile; to
    remember all rooms would have no bound.
    """
    first_ids = {room.id for room in first.rooms}
    page_ids: set[str] = set()
    async for page in api.pages(ALL_ROOMS):
        given = first_ids | page_ids
        fresh = [room for room in page.items if room.id not in given]
        page_ids = {room.id for room in page.items}
        yield Batch(fresh, page.next_url is None, page.unreadable_count)


async def _next(batches: AsyncGenerator[Batch, None]) -> Batch:
    return await anext(batches)
