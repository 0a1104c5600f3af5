"""The control API under /_emulator/: what testers arrange and look at over HTTP.

It is for programs on this machine: no browser may use it from another page, and where other
machines could reach the emulator it wants a token.
"""

import hmac
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from webex_oauth.emulator.endpoints.wire import ApiRefusal, gateway_error, json_answer
from webex_oauth.emulator.faults import FaultRule
from webex_oauth.emulator.identity.integrations import Integration, new_integration
from webex_oauth.emulator.state import State

CONTROL_RESOURCES = ("clock", "faults", "journal", "options", "integrations", "reset")
CONTROL_TOKEN_HEADER = "Emulator-Control-Token"  # noqa: S105 - a header's name

Body = TypeVar("Body")


class ClockMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to move the clock: by so many seconds, or to an instant."""

    advance_seconds: int | None = None
    set_to: int | None = None

    def __post_init__(self) -> None:
        """Refuse a move that names neither."""
        if self.advance_seconds is None and self.set_to is None:
            raise ValueError("a move of the clock has advance_seconds or set_to")


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An integration to register; its id and secret are invented unless both are given."""

    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    name: str = "Local integration"
    client_id: str = ""
    client_secret: str = ""


class Control:
    """The endpoints with which testers arrange things and look at what happened."""

    def __init__(self, state: State, token: str) -> None:
        self._state = state
        self._token = token

    def routes(self) -> list[BaseRoute]:
        """List the paths of the control API."""
        guard = Middleware(
            ControlGuard, token=self._token, origin=self._state.origins.front_door.configured
        )
        return [Mount("/_emulator", routes=self._own_routes(), middleware=[guard])]

    def _own_routes(self) -> list[Route]:
        return [
            Route("/clock", self.show_clock),
            Route("/clock", self.move_clock, methods=["POST"]),
            Route("/faults", self.show_faults),
            Route("/faults", self.put_fault, methods=["POST"]),
            Route("/faults", self.clear_faults, methods=["DELETE"]),
            Route("/journal", self.show_journal),
            Route("/journal", self.clear_journal, methods=["DELETE"]),
            Route("/options", self.show_options),
            Route("/options", self.change_options, methods=["PATCH"]),
            Route("/integrations", self.show_integrations),
            Route("/integrations", self.register, methods=["POST"]),
            Route("/reset", self.reset, methods=["POST"]),
        ]

    async def show_clock(self, _: Request) -> Response:
        """Show the emulator's time."""
        return json_answer({"now": self._state.clock.now()})

    async def move_clock(self, request: Request) -> Response:
        """Move the clock."""
        move = await _read_body(request, ClockMove)
        with _refused():
            if move.set_to is not None:
                self._state.clock.set(move.set_to)
            self._state.clock.advance(move.advance_seconds or 0)
        return await self.show_clock(request)

    async def show_faults(self, _: Request) -> Response:
        """List the fault rules in force."""
        return json_answer({"items": self._state.faults.rules})

    async def put_fault(self, request: Request) -> Response:
        """Add a fault rule."""
        self._state.faults.put(await _read_body(request, FaultRule))
        return await self.show_faults(request)

    async def clear_faults(self, _: Request) -> Response:
        """Drop every fault rule."""
        self._state.faults.clear()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def show_journal(self, request: Request) -> Response:
        """List what was asked; `method` and `path` may be patterns."""
        wanted = request.query_params
        unknown = sorted(wanted.keys() - {"method", "path"})
        if unknown:
            message = f"The journal is chosen from by method and path, not by {unknown[0]}."
            raise ApiRefusal(HTTPStatus.BAD_REQUEST, message)
        entries = self._state.journal.matching(wanted.get("method", "*"), wanted.get("path", "*"))
        return json_answer({"items": entries})

    async def clear_journal(self, _: Request) -> Response:
        """Forget what was asked."""
        self._state.journal.clear()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def show_options(self, _: Request) -> Response:
        """Show the options in force."""
        return json_answer(self._state.switchboard.options)

    async def change_options(self, request: Request) -> Response:
        """Switch some options."""
        changes = await _read_body(request, dict[str, Any])
        with _refused():
            self._state.switchboard.change(**changes)
        return await self.show_options(request)

    async def show_integrations(self, _: Request) -> Response:
        """List the registered integrations, with their invented secrets."""
        return json_answer({"items": list(self._state.integrations)})

    async def register(self, request: Request) -> Response:
        """Register an integration."""
        registration = await _read_body(request, Registration)
        with _refused():
            integration = self._state.integrations.register(self._registered(registration))
        return json_answer(integration, HTTPStatus.CREATED)

    async def reset(self, _: Request) -> Response:
        """Forget what happened and what was arranged."""
        self._state.reset()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _registered(self, wanted: Registration) -> Integration:
        if not wanted.client_id and not wanted.client_secret:
            return new_integration(
                self._state.randomness,
                redirect_uris=wanted.redirect_uris,
                scopes=wanted.scopes,
                name=wanted.name,
            )
        return Integration(
            wanted.client_id,
            wanted.client_secret,
            wanted.redirect_uris,
            wanted.scopes,
            wanted.name,
        )


class ControlGuard:
    """An ASGI layer that admits only programs on this machine, or with the token."""

    def __init__(self, app: ASGIApp, *, token: str, origin: str) -> None:
        self._app = app
        self._token = token
        self._host = urlsplit(origin).hostname or ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        request = Request(scope)
        reason = self._reason_to_refuse(request)
        if reason is None:
            await self._app(scope, receive, send)
            return
        await gateway_error(request, HTTPStatus.FORBIDDEN, reason)(scope, receive, send)

    def _reason_to_refuse(self, request: Request) -> str | None:
        headers = request.headers
        is_page = "origin" in headers or headers.get("sec-fetch-site", "none") != "none"
        if is_page:
            return "The control API is not for web pages."
        if self._token:
            presented = headers.get(CONTROL_TOKEN_HEADER, "").encode()
            is_right = hmac.compare_digest(presented, self._token.encode())
            return None if is_right else f"The header {CONTROL_TOKEN_HEADER} is missing or wrong."
        if not is_loopback_host(self._host):
            return (
                "Beyond loopback the control API works only with a control token: --control-token."
            )
        peer = request.client.host if request.client else ""
        # A name that a foreign page has made to point here is not a loopback name.
        if not is_loopback_host(peer) or not is_loopback_host(request.url.hostname or ""):
            return "Without --control-token the control API is for programs on this machine."
        return None


def is_loopback_host(host: str) -> bool:
    """Return whether a host name or address is this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _read_body(request: Request, kind: type[Body]) -> Body:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise ApiRefusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content type '{content_type}' not supported"
        )
    body = await request.body()
    with _refused():
        return msgspec.json.decode(body, type=kind)


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except ValueError as cause:
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, str(cause)) from cause
