"""A grant of `Integration` for asynchronous code: awaited in any event loop, at work in its own."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TypeVar

from webex_oauth.library.grants import WAIT_SECONDS, AsyncGrant
from webex_oauth.library.loop import Runner
from webex_oauth.library.synchronous import Grant
from webex_oauth.secret import Secret
from webex_oauth.vault.vault import DEFAULT_MIN_TTL_SECONDS
from webex_oauth.webex.api import Call, Listing, Page
from webex_oauth.webex.own_requests import ApiResponse

Result = TypeVar("Result")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class HostedGrant(AsyncGrant):
    """An AsyncGrant whose verbs run where the integration is open; `items` builds on `pages`."""

    _runner: Runner = field(repr=False, compare=False)

    async def access_token(
        self, *, min_ttl_seconds: int = DEFAULT_MIN_TTL_SECONDS, refused: Secret | None = None
    ) -> Secret:
        work = AsyncGrant.access_token(self, min_ttl_seconds=min_ttl_seconds, refused=refused)
        return await self._runner.awaited(work)

    async def call(self, call: Call[Result], *, wait_seconds: float = WAIT_SECONDS) -> Result:
        return await self._runner.awaited(AsyncGrant.call(self, call, wait_seconds=wait_seconds))

    def pages(
        self, listing: Listing[Item], *, wait_seconds: float = WAIT_SECONDS
    ) -> AsyncIterator[Page[Item]]:
        source = AsyncGrant.pages(self, listing, wait_seconds=wait_seconds)
        return self._runner.iterate_awaited(source)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> ApiResponse:
        work = AsyncGrant.request(
            self,
            method,
            path,
            params=params,
            json=json,
            content=content,
            headers=headers,
            wait_seconds=wait_seconds,
        )
        return await self._runner.awaited(work)

    async def revoke(self) -> None:
        await self._runner.awaited(AsyncGrant.revoke(self))


def hosted(grant: Grant) -> AsyncGrant:
    """Return the asynchronous half of *grant*."""
    twin, runner = grant._twin, grant._runner  # noqa: SLF001 - the two halves of one library
    return HostedGrant(
        **{one.name: getattr(twin, one.name) for one in fields(twin)}, _runner=runner
    )
