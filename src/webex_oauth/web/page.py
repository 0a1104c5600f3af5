"""The ASGI endpoint of a page: run its handler, and show what goes wrong."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from webex_oauth.errors import WebexOAuthError
from webex_oauth.web.diagnosis import api_failure, retry_after_seconds
from webex_oauth.web.failure import show_failure
from webex_oauth.web.request_failures import UNEXPECTED
from webex_oauth.web.site import Site
from webex_oauth.web.visit import Refused, Visit

log = logging.getLogger(__name__)

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
            return await show_failure(visit, refusal.failure)
        except WebexOAuthError as error:
            failure = api_failure(error)
            log.warning(
                "page failed",
                extra={
                    "reference": visit.reference_id,
                    "failure": failure.name,
                    "error": type(error).__name__,
                },
                exc_info=error if failure is UNEXPECTED else None,
            )
            return await show_failure(visit, failure, retry_after=retry_after_seconds(error))
