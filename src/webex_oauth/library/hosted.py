"""A grant of `Integration` for asynchronous code: awaited in any event loop, at work in its own."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field, fields
from functools import wraps
from typing import Any, TypeVar

from webex_oauth.library.grants import WAIT_SECONDS, AsyncGrant
from webex_oauth.library.loop import Runner
from webex_oauth.library.synchronous import Grant
from webex_oauth.webex.api import Listing, Page

Item = TypeVar("Item")
Verb = Callable[..., Coroutine[Any, Any, Any]]


def _hosted(verb: Verb) -> Verb:
    @wraps(verb)
    async def there(self: "HostedGrant", *args: Any, **kwargs: Any) -> Any:
        return await self._runner.awaited(verb(self, *args, **kwargs))

    return there


@dataclass(frozen=True, slots=True)
class HostedGrant(AsyncGrant):
    """An AsyncGrant whose verbs run where the integration is open; `items` builds on `pages`."""

    _runner: Runner = field(repr=False, compare=False)

    access_token = _hosted(AsyncGrant.access_token)
    call = _hosted(AsyncGrant.call)
    request = _hosted(AsyncGrant.request)
    revoke = _hosted(AsyncGrant.revoke)

    def pages(
        self, listing: Listing[Item], *, wait_seconds: float = WAIT_SECONDS
    ) -> AsyncIterator[Page[Item]]:
        source = AsyncGrant.pages(self, listing, wait_seconds=wait_seconds)
        return self._runner.iterate_awaited(source)


def hosted(grant: Grant) -> AsyncGrant:
    """Return the asynchronous half of *grant*."""
    twin, runner = grant._twin, grant._runner  # noqa: SLF001 - the two halves of one library
    values = {one.name: getattr(twin, one.name) for one in fields(twin)}
    return HostedGrant(**values, _runner=runner)
