"""A grant of `Integration` for asynchronous code: awaited in any event loop, at work in its own."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field, fields
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from webex_oauth.library.grants import AsyncGrant
from webex_oauth.library.loop import Runner
from webex_oauth.library.synchronous import Grant

P = ParamSpec("P")
T = TypeVar("T")


def _awaited(
    verb: Callable[Concatenate[AsyncGrant, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["HostedGrant", P], Coroutine[Any, Any, T]]:
    @wraps(verb)
    async def run(self: "HostedGrant", /, *args: P.args, **options: P.kwargs) -> T:
        return await self._runner.awaited(verb(self, *args, **options))

    return run


def _iterated(
    verb: Callable[Concatenate[AsyncGrant, P], AsyncIterator[T]],
) -> Callable[Concatenate["HostedGrant", P], AsyncIterator[T]]:
    @wraps(verb)
    def run(self: "HostedGrant", /, *args: P.args, **options: P.kwargs) -> AsyncIterator[T]:
        return self._runner.iterate_awaited(verb(self, *args, **options))

    return run


@dataclass(frozen=True, slots=True)
class HostedGrant(AsyncGrant):
    """An AsyncGrant whose verbs run where the integration is open; `items` builds on `pages`."""

    _runner: Runner = field(repr=False, compare=False)

    access_token = _awaited(AsyncGrant.access_token)
    call = _awaited(AsyncGrant.call)
    pages = _iterated(AsyncGrant.pages)
    request = _awaited(AsyncGrant.request)
    revoke = _awaited(AsyncGrant.revoke)


def hosted(grant: Grant) -> AsyncGrant:
    """Return the asynchronous half of *grant*."""
    twin, runner = grant._twin, grant._runner  # noqa: SLF001 - the two halves of one library
    return HostedGrant(
        **{one.name: getattr(twin, one.name) for one in fields(twin)}, _runner=runner
    )
