"""Webex's API as a person: a good token for every call, one refresh if it is refused."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import NoReturn, TypeAlias, TypeVar

from msgspec import Struct

from webex_oauth.errors import AccessTokenRefused, ReauthReason, RefreshPostponed, StoreError
from webex_oauth.flows.context import FlowContext
from webex_oauth.oauth.http import HttpRequest, HttpResponse, read_retry_after
from webex_oauth.ports import API_LIMITS, PAGE_LIMITS, Limits, StreamedResponse, StreamingTransport
from webex_oauth.secret import Secret
from webex_oauth.vault.records import name_of_grant
from webex_oauth.vault.vault import Vault
from webex_oauth.webex import rooms
from webex_oauth.webex.api import (
    Call,
    Listing,
    Page,
    PageTrail,
    api_request,
    page_request,
    raise_refusal,
    read_api_response,
    read_page,
)
from webex_oauth.webex.own_requests import ApiResponse, own_request, read_own_response
from webex_oauth.webex.rooms import LARGEST_PAGE, Room

FIRST_ROOMS = rooms.listing(max_items=100, sort_by="lastactivity")
ALL_ROOMS = rooms.listing(max_items=LARGEST_PAGE, sort_by="lastactivity")

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Item = TypeVar("Item")
Builder: TypeAlias = Callable[[Secret], HttpRequest]
"""Makes a request with an access token."""


class PersonApi:
    """Webex's API with one person's grant."""

    def __init__(self, context: FlowContext, vault: Vault, grant_key: bytes) -> None:
        self._context = context
        self._vault = vault
        self._grant_key = grant_key

    async def call(self, call: Call[Answer]) -> Answer:
        """Call Webex once.

        Raises ReauthRequired, ApiError, UpstreamError, TokenError, StoreError or VaultError.
        """
        response = await self._send(partial(api_request, self._context.platform, call), API_LIMITS)
        return read_api_response(call, response, self._context.clock())

    async def pages(self, listing: Listing[Item]) -> AsyncIterator[Page[Item]]:
        """Ask for a list, page after page until there is none; raises as `call` does."""
        platform, trail = self._context.platform, PageTrail()
        page = await self.first_page(listing)
        yield page
        while page.next_url is not None:
            trail.check(page.next_url)
            page = await self._page(listing, partial(page_request, platform, page.next_url))
            yield page

    async def first_page(self, listing: Listing[Item]) -> Page[Item]:
        """Ask for the first page of a list; raises as `call` does."""
        return await self._page(listing, partial(api_request, self._context.platform, listing))

    @asynccontextmanager
    async def stream(
        self,
        build: Builder,
        limits: Limits,
        body: AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[StreamedResponse]:
        """Ask anything, and yield whatever is answered but a 401; raises as `call` does.

        A *body* cannot be sent twice: if its token is refused, the next call has a fresh one.
        """
        transport, token = self._context.transport, await self._vault.access_token(self._grant_key)
        if not isinstance(transport, StreamingTransport):
            raise TypeError("the transport of this integration cannot stream")
        for is_last in (False, True):
            async with (
                self._context.api_bulkhead.place(self._grant_key),
                transport.stream(build(token), limits, body) as answer,
            ):
                if answer.status != HTTPStatus.UNAUTHORIZED:
                    yield answer
                    return
            if is_last:
                await self._give_up(token)
            token = await self._vault.refreshed(self._grant_key, token)
            if body is not None:
                raise RefreshPostponed("the access token was refused; now there is another", 1)

    async def _give_up(self, token: Secret, error: Exception | None = None) -> NoReturn:
        """Mark a fresh token that the API refuses; raise ReauthRequired."""
        with suppress(StoreError):
            await self._vault.refuse(self._grant_key, token)
        raise self._vault.reauth(self._grant_key, ReauthReason.ACCESS_TOKEN_REFUSED) from error

    async def _page(self, listing: Listing[Item], build: Builder) -> Page[Item]:
        response = await self._send(build, PAGE_LIMITS)
        return read_page(listing, self._context.platform, response, self._context.clock())

    async def _send(self, build: Builder, limits: Limits) -> HttpResponse:
        """Return the answer; if the token is refused, once more with a fresh one."""
        token = await self._vault.access_token(self._grant_key)
        response = await self._attempt(build, token, limits)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        log.debug(
            "the access token of grant %(grant)s was refused, refreshing once",
            {"grant": name_of_grant(self._grant_key)},
        )
        token = await self._vault.refreshed(self._grant_key, token)
        response = await self._attempt(build, token, limits)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        try:
            raise_refusal(response, self._context.clock())
        except AccessTokenRefused as error:
            await self._give_up(token, error)

    async def _attempt(self, build: Builder, token: Secret, limits: Limits) -> HttpResponse:
        async with self._context.api_bulkhead.place(self._grant_key):
            return await self._context.transport.send(build(token), limits)


class PatientApi(PersonApi):
    """Webex's API for programs: any request, and *wait_seconds* for Webex to come back to it."""

    def __init__(
        self, context: FlowContext, vault: Vault, grant_key: bytes, wait_seconds: float
    ) -> None:
        super().__init__(context, vault, grant_key)
        self._wait_seconds = wait_seconds

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        content: bytes,
        headers: Mapping[str, str],
    ) -> ApiResponse:
        """Send a request of the caller's own; raises as `call` does, or ValueError."""
        platform = self._context.platform

        def build(access_token: Secret) -> HttpRequest:
            return own_request(
                platform,
                method,
                path,
                params=params,
                content=content,
                headers=headers,
                access_token=access_token,
            )

        return read_own_response(await self._send(build, PAGE_LIMITS), self._context.clock())

    async def _send(self, build: Builder, limits: Limits) -> HttpResponse:
        """Send as often as Webex asks to come back later and the time allows it."""
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + self._wait_seconds
        while True:
            response = await super()._send(build, limits)
            if response.status != HTTPStatus.TOO_MANY_REQUESTS:
                return response
            seconds = read_retry_after(response.headers.get("retry-after"), self._context.clock())
            if clock() + seconds > give_up_at:
                return response
            await asyncio.sleep(seconds)


class Batch(Struct, frozen=True):
    """Rooms that one answer of Webex brought; after the last batch there are no more."""

    rooms: Sequence[Room]
    is_last: bool
    unreadable_count: int = 0


async def first_batch(api: PersonApi) -> Batch:
    """Return what one answer of Webex brings; raises what `PersonApi.call` raises."""
    page = await api.first_page(FIRST_ROOMS)
    if page.next_url is None:
        return Batch(page.items, is_last=True, unreadable_count=page.unreadable_count)
    # What could not be read comes again in the larger pages, and is counted there.
    return Batch(page.items, is_last=False)


async def spaces(api: PersonApi, first: Batch | None = None) -> AsyncGenerator[Batch, None]:
    """Yield all rooms of a person, newest activity first, beginning with *first* if that is here.

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
    """Yield the rest, in the largest pages.

    A next link keeps the page size of its first page. So if 100 were not all, the list is requested
    again with the largest pages, and rooms of the first answer are left out. So are those of the
    page before: one slides on when another space becomes active meanwhile. To remember all rooms
    would have no bound.
    """
    first_ids = {room.id for room in first.rooms}
    page_ids: set[str] = set()
    async for page in api.pages(ALL_ROOMS):
        seen = first_ids | page_ids
        fresh = [room for room in page.items if room.id not in seen]
        page_ids = {room.id for room in page.items}
        yield Batch(fresh, page.next_url is None, page.unreadable_count)


async def _next(batches: AsyncGenerator[Batch, None]) -> Batch:
    return await anext(batches)
