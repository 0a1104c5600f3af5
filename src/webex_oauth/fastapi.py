"""Sign in with Webex in a FastAPI application of yours."""

from collections.abc import Iterable
from functools import cached_property
from typing import ClassVar

from fastapi import APIRouter
from fastapi.openapi.models import APIKey
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection
from starlette.routing import Router

from webex_oauth import starlette
from webex_oauth.library.grants import AsyncGrant


class WebexAuth(starlette.WebexAuth, SecurityBase):
    """What `webex_oauth.starlette.WebexAuth` is, and a dependency: `Security(webex, scopes=[...])`.

    `Depends(webex.optional)` is for pages that also people see who are not signed in.
    """

    router: APIRouter
    router_type: ClassVar[type[Router]] = APIRouter
    scheme_name = "Webex"

    # The settings, which name the cookie, are read when the object is made.
    @cached_property
    def model(self) -> APIKey:  # type: ignore[override]
        """Describe signing in to readers of the OpenAPI document."""
        name = self.session_cookie
        return APIKey.model_validate({"in": "cookie", "name": name})

    async def __call__(self, connection: HTTPConnection, scopes: SecurityScopes) -> AsyncGrant:
        """Return the grant of the person who is signed in, and allowed the scopes."""
        return await self.grant(connection, *scopes.scopes)

    def proxy(self, allow: Iterable[str]) -> APIRouter:
        """Return a router as `webex_oauth.starlette.WebexAuth.proxy` does, for `include_router`."""
        return APIRouter(routes=super().proxy(allow).routes)
