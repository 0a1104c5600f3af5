"""From a path to its page."""

from collections.abc import Sequence

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send


class PathRouter(Router):
    """Find a route by one look-up; the rest is for Starlette, which tries one after the other."""

    def __init__(self, routes: Sequence[Route]) -> None:
        super().__init__(routes, redirect_slashes=False)
        plain = [route for route in routes if not route.param_convertors]
        self._route_by_path = {route.path: route for route in reversed(plain)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._route_by_path.get(scope.get("path", ""))
        if route is None or route.methods is None or scope.get("method") not in route.methods:
            await super().__call__(scope, receive, send)
            return
        await route.app(scope, receive, send)
