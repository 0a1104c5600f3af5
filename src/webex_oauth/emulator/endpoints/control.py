"""The control API under /_emulator/: what testers arrange and look at over HTTP.

It is for programs on this machine: no browser may use it from another page, and where other
machines could reach the emulator it requires a token.
"""

import hmac
import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints.token import token_answer
from webex_oauth.emulator.endpoints.wire import Handler, Routes, json_answer, read_json
from webex_oauth.emulator.faults import FaultRule
from webex_oauth.emulator.identity import OAuthRefusal
from webex_oauth.emulator.identity.integrations import (
    DEFAULT_NAME,
    Integration,
    invented_credentials,
)
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person

_TOKEN_HEADER = "Emulator-Control-Token"  # noqa: S105 - a header's name


class ClockMove(Struct, frozen=True, forbid_unknown_fields=True):
    """How to move the clock: by so many seconds, or to an instant."""

    advance_seconds: int | None = None
    set_to: int | None = None


class Registration(Struct, frozen=True, forbid_unknown_fields=True):
    """An integration to register; its id and secret are invented unless one is given."""

    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    name: str = DEFAULT_NAME
    client_id: str = ""
    client_secret: str = ""


class GrantWanted(Struct, frozen=True, forbid_unknown_fields=True):
    """A grant to make without consent: by default to the first integration, of all its scopes."""

    person: str
    scopes: tuple[str, ...] = ()
    client_id: str = ""


async def _show_clock(state: State, _: Request) -> Response:
    return json_answer({"now": state.clock.now()})


async def _move_clock(state: State, request: Request) -> Response:
    move = await read_json(request, ClockMove)
    if move == ClockMove():
        raise ValueError("a move of the clock has advance_seconds or set_to")
    if move.set_to is not None:
        state.clock.set(move.set_to)
    state.clock.advance(move.advance_seconds or 0)
    return await _show_clock(state, request)


async def _show_faults(state: State, _: Request) -> Response:
    return json_answer({"items": state.faults.rules})


async def _put_fault(state: State, request: Request) -> Response:
    state.faults.put(await read_json(request, FaultRule))
    return await _show_faults(state, request)


async def _show_journal(state: State, request: Request) -> Response:
    patterns = dict(request.query_params)
    unknown = sorted(patterns.keys() - {"method", "path"})
    if unknown:
        raise ValueError(f"The journal is filtered by method and path, not by {unknown[0]}.")
    return json_answer({"items": state.journal.matching(**patterns)})


async def _show_options(state: State, _: Request) -> Response:
    return json_answer(state.options)


async def _change_options(state: State, request: Request) -> Response:
    return json_answer(state.change_options(**await read_json(request, dict[str, Any])))


async def _show_integrations(state: State, _: Request) -> Response:
    return json_answer({"items": list(state.integrations)})


async def _register(state: State, request: Request) -> Response:
    wanted = msgspec.structs.asdict(await read_json(request, Registration))
    if not wanted["client_id"] and not wanted["client_secret"]:
        wanted |= invented_credentials(state.randomness)
    return json_answer(state.integrations.register(Integration(**wanted)), HTTPStatus.CREATED)


async def _show_grants(state: State, _: Request) -> Response:
    grants = [
        {"person": one.person.email, "client_id": one.client_id, "scopes": one.scopes}
        for one in state.tokens.grants
    ]
    return json_answer({"items": grants})


async def _grant(state: State, request: Request) -> Response:
    wanted = await read_json(request, GrantWanted)
    client_id = wanted.client_id or next(iter(state.integrations)).client_id
    client = state.integrations.find(client_id)
    if client is None:
        raise ValueError(f"no integration has the client_id {client_id!r}")
    person, scopes = find_person(state, wanted.person), wanted.scopes or client.scopes
    tokens = state.tokens.issue(client_id, person, scopes)
    return json_answer(token_answer(state, tokens), HTTPStatus.CREATED)


async def _withdraw(state: State, request: Request) -> Response:
    fields = request.query_params
    person = find_person(state, fields.get("person", ""))
    state.tokens.withdraw(person, fields.get("client_id", ""))
    return Response(status_code=HTTPStatus.NO_CONTENT)


def find_person(state: State, email: str) -> Person:
    """Return the person with an e-mail address; raise `ValueError` if there is none."""
    person = state.world.person_by_email(email)
    if person is None:
        raise ValueError(f"person is the e-mail address of someone here, not {email[:200]!r}")
    return person


def _calling(change: Callable[[State], None]) -> Handler:
    async def call(state: State, _: Request) -> Response:
        change(state)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return call


def _guarded(answer: Handler) -> Handler:
    """Return *answer* for programs on this machine, or with the token, alone.

    What is impossible, which is a `ValueError`, is refused with the reason.
    """

    async def guarded(state: State, request: Request) -> Response:
        reason = _reason_to_refuse(state, request)
        if reason:
            raise HTTPException(HTTPStatus.FORBIDDEN, reason)
        try:
            return await answer(state, request)
        except (ValueError, OAuthRefusal) as cause:
            raise HTTPException(HTTPStatus.BAD_REQUEST, str(cause)) from cause

    return guarded


def _reason_to_refuse(state: State, request: Request) -> str:
    headers = request.headers
    if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
        return "The control API is not for web pages."
    return reason_by_place(state, request)


def reason_by_place(state: State, request: Request) -> str:
    """Return why nothing may be arranged from where a request comes, or an empty text."""
    if state.control_token:
        presented = request.headers.get(_TOKEN_HEADER, "").encode()
        is_right = hmac.compare_digest(presented, state.control_token.encode())
        return "" if is_right else f"The header {_TOKEN_HEADER} is missing or wrong."
    if not _is_loopback(urlsplit(state.origins.front_door.configured).hostname):
        return "Beyond loopback the control API works only with a control token: --control-token."
    # A name that a foreign page has made to point here is not a loopback name.
    peer = request.client.host if request.client else ""
    if not _is_loopback(peer) or not _is_loopback(request.url.hostname):
        return "Without --control-token the control API is for programs on this machine."
    return ""


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


_ANSWERS: Routes = (
    ("GET", "clock", _show_clock),
    ("POST", "clock", _move_clock),
    ("GET", "faults", _show_faults),
    ("POST", "faults", _put_fault),
    ("DELETE", "faults", _calling(lambda state: state.faults.clear())),
    ("GET", "journal", _show_journal),
    ("DELETE", "journal", _calling(lambda state: state.journal.clear())),
    ("GET", "options", _show_options),
    ("PATCH", "options", _change_options),
    ("GET", "integrations", _show_integrations),
    ("POST", "integrations", _register),
    ("GET", "grants", _show_grants),
    ("POST", "grants", _grant),
    ("DELETE", "grants", _withdraw),
    ("POST", "reset", _calling(lambda state: state.reset())),
)
CONTROL_RESOURCES = tuple(dict.fromkeys(name for _, name, _ in _ANSWERS))
ROUTES: Routes = tuple(
    (method, f"/_emulator/{name}", _guarded(answer)) for method, name, answer in _ANSWERS
)
