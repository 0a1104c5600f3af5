"""The ASGI endpoint of a page: run its handler, and show what goes wrong."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from webex_oauth.errors import WebexOAuthError
from webex_oauth.web.diagnosis import api_failure, retry_after_seconds
from webex_oauth.web.failure import show_failure
from webex_oauth.web.failures import Refused
from webex_oauth.web.site import Site
from webex_oauth.web.visit import Visit

Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]


class PageEndpoint:
    """Answer requests to one route; HEAD is answered as GET is, without the body."""

    def __init__(self, site: Site, handler_by_method: Mapping[str, Handler]) -> None:
        self._site = site
        self._handler_by_method = handler_by_method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = Visit(self._site, Request(scope, receive))
        response = await self._answer(visit)
        await response(scope, receive, send)

    def _handler(self, method: str) -> Handler:
        return self._handler_by_method["GET" if method == "HEAD" else method]

    async def _answer(self, visit: Visit) -> Response:
        try:
            return await self._handler(visit.request.method)(visit)
        except Refused as refusal:
            return await show_failure(visit, refusal)
        except WebexOAuthError as error:
            refused = Refused(api_failure(error), str(error), error)
            return await show_failure(visit, refused, retry_after=retry_after_seconds(error))
