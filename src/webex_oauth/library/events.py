"""Events: hear of what this process causes, read what all have caused, follow it for good."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import TypeAlias, TypeVar

from webex_oauth.integration import OpenIntegration
from webex_oauth.vault.events import Event, EventKind, Hub

Handler: TypeAlias = Callable[[Event], Awaitable[None]]
HandlerT = TypeVar("HandlerT", bound=Handler)


class AsyncEvents:
    """What becomes of grants and sessions; each event is written in one change with it."""

    def __init__(self, opened: Callable[[], OpenIntegration]) -> None:
        self._opened = opened
        self._listeners: list[Handler] = []
        self._hub: Hub | None = None

    def on(self, kind: EventKind) -> Callable[[HandlerT], HandlerT]:
        """Return a decorator: what it decorates is called with each event that this process causes.

        It runs in a task of its own; what it raises is logged. It may be used before the
        integration is open.
        """

        def decorate(handler: HandlerT) -> HandlerT:
            async def hear(event: Event) -> None:
                if event.kind == kind:
                    await handler(event)

            self._listeners.append(hear)
            if self._hub is not None:
                self._hub.listeners.append(hear)
            return handler

        return decorate

    async def read(
        self,
        *,
        after: int = 0,
        kinds: Collection[EventKind] = (),
        person_id: str | None = None,
    ) -> AsyncIterator[Event]:
        """Yield the events behind the id *after*, of some *kinds* or one person if given.

        They are kept for 90 days, failed sign-ins for one. Those of one second are in no order
        among processes, so what is read *after* an event may lack one of its second: `follow`
        misses none. Raises TemporaryError.
        """
        async for event in self._opened().events.read(after, kinds, person_id):
            yield event

    async def follow(self, name: str, handler: Handler) -> None:
        """Call *handler* with every event of all processes, one after the other, until cancelled.

        Each comes at least once: one whose handler raised, or whose process died, comes again. Of
        all that follow under *name* one gets them; *name* begins with the oldest that is kept.
        """
        await self._opened().events.follow(name, handler)

    def _attach(self, hub: Hub) -> None:
        """Hear what an integration that has just been opened causes."""
        self._hub = hub
        hub.listeners.extend(self._listeners)
