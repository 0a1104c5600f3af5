"""Signing in a program without a browser: its codes, and the page where a person enters one."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints import wire
from webex_oauth.emulator.endpoints.pages import (
    COOKIE_PATH,
    first_page,
    page,
    redirect,
    with_query,
)
from webex_oauth.emulator.endpoints.token import authenticated_client
from webex_oauth.emulator.identity import OAuthRefusal
from webex_oauth.emulator.identity.integrations import Integration
from webex_oauth.emulator.journal import entry_of
from webex_oauth.emulator.state import State

_VERIFY_PATH = f"{COOKIE_PATH}/device/verify"  # where the browser's cookie is sent
_MALFORMED = "The request could not be understood by the server due to malformed syntax."


async def _authorize(state: State, request: Request) -> Response:
    form = await wire.read_form(request)
    if "authorization" in request.headers:
        # Webex's own SDK sends it; the documentation knows the client id alone.
        integration = authenticated_client(state, request, form)
    else:
        integration = _named_client(state, request, form)
    device = state.devices.begin(integration, form.get("scope", ""))
    verification_uri = f"{state.origins.broker.beside(request.scope)}/verify"
    return wire.json_answer(
        {
            "device_code": device.code,
            "user_code": device.user_code,
            "verification_uri": verification_uri,
            "verification_uri_complete": f"{verification_uri}?userCode={device.link_code}",
            "expires_in": state.options.device_code_lifetime_seconds,
            "interval": state.options.device_interval_seconds,
        }
    )


def _named_client(state: State, request: Request, form: Mapping[str, str]) -> Integration:
    integration = state.integrations.find(wire.required_field(form, "client_id"))
    if integration is None:
        raise OAuthRefusal("invalid_client", "Client Id is invalid", message=_MALFORMED)
    entry_of(request.scope).client_id = integration.client_id
    return integration


async def _lead_to_verification(_: State, request: Request) -> Response:
    return redirect(with_query(_VERIFY_PATH, request))


async def _show_verification(state: State, request: Request) -> Response:
    code = request.query_params.get("userCode")
    return page("verify", complaint="") if code is None else _entered(state, request, code)


async def _enter(state: State, request: Request) -> Response:
    return _entered(state, request, (await wire.read_form(request)).get("user_code", ""))


def _entered(state: State, request: Request, code: str) -> Response:
    device = state.devices.find(code)
    if device is None:
        complaint = "No device waits with this code. It may have expired: look at the device."
        return page("verify", HTTPStatus.BAD_REQUEST, complaint=complaint)
    return first_page(state, request, device.request)


FRONT_DOOR_ROUTES: wire.Routes = (("POST", "/v1/device/authorize", _authorize),)
BROKER_ROUTES: wire.Routes = (
    ("GET", "/verify", _lead_to_verification),
    ("GET", _VERIFY_PATH, _show_verification),
    ("POST", _VERIFY_PATH, _enter),
)
