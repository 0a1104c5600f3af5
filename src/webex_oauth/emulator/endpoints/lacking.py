"""Paths that are not here: what the emulator lacks of Webex, what the other origin has, the rest.

A path is a template of Starlette's; methods are listed where they are known, else all are lacking.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints.control import CONTROL_RESOURCES
from webex_oauth.emulator.endpoints.wire import Routes, check_bearer, lacking
from webex_oauth.emulator.journal import CONTROL_PATH
from webex_oauth.emulator.origins import Origin
from webex_oauth.emulator.state import State

_EVERY_METHOD = "GET POST PUT PATCH DELETE"

_FRONT_DOOR = {
    "GET POST": ("teams", "team/memberships", "webhooks", "room/tabs", "room/linkedFolders"),
    "GET PUT DELETE": (
        "teams/{id}", "team/memberships/{id}", "webhooks/{id}", "room/tabs/{id}",
        "room/linkedFolders/{id}",
    ),
    "PUT DELETE": ("memberships/{id}", "people/{id}", "rooms/{id}"),
    "PUT": ("messages/{id}",),
    "GET DELETE": ("authorizations",),
    "DELETE": ("authorizations/{id}",),
    "GET HEAD": ("contents/{id}",),
    "GET": (
        "rooms/{id}/meetingInfo", "events", "events/{id}",
        "attachment/actions/{id}", "hds/{rest:path}", ".well-known/{rest:path}", "userinfo",
        "verification", "authorizations/tokenExpiry",
    ),
    "POST": (
        "attachment/actions", "guests/token", "jwt/login", "memberships", "people", "rooms",
    ),
    _EVERY_METHOD: ("applications", "applications/{rest:path}"),
}  # fmt: skip
# Whole families of resources, whatever follows their names.
_FAMILIES = (
    "admin", "adminAudit", "analytics", "archive", "bots", "broadworks", "callingData", "cdr_feed",
    "classifications", "contacts", "convergedRecordings", "dataSources", "deviceConfigurations",
    "devices", "groups", "hotdesk", "hybrid", "identity", "licenses", "locations",
    "meetingClosedCaptions", "meetingInvitees", "meetingParticipants", "meetingPreferences",
    "meetingQualities", "meetingReports", "meetings", "meetingTranscripts", "numbers",
    "organizationContacts", "organizations", "partner", "places", "recordingReport", "recordings",
    "report", "reports", "resourceGroupMemberships", "resourceGroups", "roles", "securityAudit",
    "session", "slido", "telephony", "tracking", "videoMesh", "videos", "wholesale",
    "workspaceLocations", "workspaceMetrics", "workspacePersonalization", "workspaces", "xapi",
)  # fmt: skip

_BROKER = {
    "GET": (".well-known/{rest:path}", "oauth2/v1/userinfo"),
    "POST": ("oauth2/v1/device/authorize", "oauth2/v1/device/token"),
    _EVERY_METHOD: ("oauth2/v1/tokens", "oauth2/v2/{rest:path}", "saml2/{rest:path}"),
}


async def _answer_lacking(_: State, request: Request) -> Response:
    raise lacking(f"{request.method} {quote(request.scope['path'])}")


def _routes(base: str, paths_by_methods: Mapping[str, Iterable[str]]) -> Routes:
    return tuple(
        (methods, f"{base}{path}", _answer_lacking)
        for methods, paths in paths_by_methods.items()
        for path in paths
    )


async def answer_unknown(state: State, own: Origin, request: Request) -> Response:
    """Answer an unknown path: 401 without a valid token, as Webex does, else 404."""
    path, origins = request.url.path, state.origins
    neighbours = {
        "/idb/": ("identity broker", origins.broker),
        "/v1/": ("front door", origins.front_door),
        CONTROL_PATH: ("front door", origins.front_door),
    }
    for prefix, (name, origin) in neighbours.items():
        if path.startswith(prefix) and origin is not own:
            message = f"{path} is not here but at the {name}, {origin.beside(request.scope)}"
            raise HTTPException(HTTPStatus.NOT_FOUND, message)
    if f"{path}/".startswith(CONTROL_PATH):
        message = f"The control API has no {path}; it has {', '.join(CONTROL_RESOURCES)}."
        raise HTTPException(HTTPStatus.NOT_FOUND, message)
    check_bearer(state, request)
    raise HTTPException(HTTPStatus.NOT_FOUND)


_FAMILY_PATHS = [path for name in _FAMILIES for path in (name, f"{name}/{{rest:path}}")]
FRONT_DOOR_ROUTES = (
    *_routes("/v1/", _FRONT_DOOR),
    *_routes("/v1/", {_EVERY_METHOD: _FAMILY_PATHS}),
)
BROKER_ROUTES = _routes("/idb/", _BROKER)
