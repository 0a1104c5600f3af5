"""The page at /_emulator/: clock, refresh tokens, faults and grants, arranged without a script."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from webex_oauth.emulator.conditions import RefreshMode
from webex_oauth.emulator.endpoints.control import find_person, reason_by_place
from webex_oauth.emulator.endpoints.pages import handing_over, page, protected
from webex_oauth.emulator.endpoints.wire import Routes, read_form
from webex_oauth.emulator.faults import AfterCommit, Answer, Delay, FaultRule, NextLink
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import webex_instant

_PATH = "/_emulator/"
_MOST = 100
_MOVES = {"an hour": 3_600, "15 days": 15 * 86_400, "91 days": 91 * 86_400}
_DOWN = Answer(status=503, text='{"message":"Service Unavailable"}')
_BUSY = Answer(status=429, text="", content_type="text/html", headers={"Retry-After": "5"})
_AWAY = Answer(status=302, text="", headers={"Location": "http://127.0.0.1:9/"})
_TOKENS, _API = "/v1/access_token", "/v1/[!a]*"
_FAULTS = {
    "The next GET at the API gets 503": FaultRule(_DOWN, "GET", _API),
    "The next GET at the API gets 429 and a wait of 5 seconds": FaultRule(_BUSY, "GET", _API),
    "The next GET at the API is redirected to another site": FaultRule(_AWAY, "GET", _API),
    "The next page of rooms is at another site": FaultRule(
        NextLink(to="foreign"), "GET", "/v1/rooms"
    ),
    "The next token request gets 503": FaultRule(_DOWN, "POST", _TOKENS),
    "The next token request is done, and its answer is lost": FaultRule(
        AfterCommit(), "POST", _TOKENS
    ),
    "Every token request takes half a second": FaultRule(Delay(0.5), "POST", _TOKENS, times=None),
}


async def _show(state: State, request: Request) -> Response:
    _check(state, request)
    return _page(state)


async def _arrange(state: State, request: Request) -> Response:
    _check(state, request)
    try:
        _carry_out(state, await read_form(request))
    except (ValueError, KeyError) as cause:
        return _page(state, str(cause))
    return protected(RedirectResponse(_PATH, HTTPStatus.SEE_OTHER))


def _check(state: State, request: Request) -> None:
    own = state.origins.front_door.as_asked(request.scope)
    reason = reason_by_place(state, request)
    # Browsers send it with every form.
    if request.headers.get("origin", own) != own:
        reason = "This form is not from a page of the emulator."
    if reason:
        raise HTTPException(HTTPStatus.FORBIDDEN, reason)


def _page(state: State, complaint: str = "") -> Response:
    names = {one.client_id: one.name for one in state.integrations}
    granted = dict.fromkeys((one.person, one.client_id) for one in state.tokens.grants)
    answer = page(
        "control",
        HTTPStatus.BAD_REQUEST if complaint else HTTPStatus.OK,
        complaint=complaint,
        now=webex_instant(state.clock.now() * 1_000),
        moves=_MOVES,
        refresh_mode=state.options.refresh_mode,
        refresh_modes=get_args(RefreshMode),
        faults=_FAULTS,
        rules=state.faults.rules,
        granted=[(person, id_, names.get(id_, id_)) for person, id_ in list(granted)[-_MOST:]],
    )
    # With none at all, browsers would hide that a form is the page's own.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _carry_out(state: State, form: Mapping[str, str]) -> None:
    match form:
        case {"advance_seconds": seconds}:
            state.clock.advance(int(seconds))
        case {"refresh_mode": mode}:
            state.change_options(refresh_mode=mode)
        case {"fault": name}:
            state.faults.put(_FAULTS[name])
        case {"withdraw": email, "client_id": client_id}:
            state.tokens.withdraw(find_person(state, email), client_id)
        case {"reset": "clock"}:
            state.clock.reset()
        case {"reset": "faults"}:
            state.faults.clear()
        case _:
            raise ValueError("The form says nothing that can be done.")


FRONT_DOOR_ROUTES: Routes = (("GET", _PATH, _show), ("POST", _PATH, _arrange))
BROKER_ROUTES: Routes = (("GET", "/idb/profile", handing_over("front_door", f"{_PATH}#granted")),)
