"""Paths that are not here: what the emulator lacks of Webex, what the other origin has, the rest.

A path is a template of Starlette's; methods are listed where they are known, else all are lacking.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webex_oauth.emulator.endpoints.control import CONTROL_RESOURCES
from webex_oauth.emulator.endpoints.wire import (
    ApiRefusal,
    answer_api_refusal,
    answer_http_error,
    check_bearer,
    gateway_error,
)
from webex_oauth.emulator.journal import CONTROL_PATH
from webex_oauth.emulator.origins import Origin
from webex_oauth.emulator.state import State

LACKING_HEADER = "Emulator-Lacks"
EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")

FRONT_DOOR = {
    ("GET", "POST"): (
        "people", "messages", "memberships", "teams", "team/memberships", "webhooks", "room/tabs",
        "room/linkedFolders",
    ),
    ("GET", "PUT", "DELETE"): (
        "messages/{id}", "memberships/{id}", "teams/{id}", "team/memberships/{id}",
        "webhooks/{id}", "room/tabs/{id}", "room/linkedFolders/{id}",
    ),
    ("PUT", "DELETE"): ("people/{id}", "rooms/{id}"),
    ("GET", "DELETE"): ("authorizations",),
    ("DELETE",): ("authorizations/{id}",),
    ("GET", "HEAD"): ("contents/{id}",),
    ("GET",): (
        "rooms/{id}/meetingInfo", "messages/direct", "events", "events/{id}",
        "attachment/actions/{id}", "hds/{rest:path}", ".well-known/{rest:path}", "userinfo",
        "verification", "authorizations/tokenExpiry",
    ),
    ("POST",): (
        "rooms", "attachment/actions", "device/authorize", "device/token", "guests/token",
        "jwt/login",
    ),
    EVERY_METHOD: ("applications", "applications/{rest:path}"),
}  # fmt: skip
_FAMILIES = (
    "adminAudit", "admin", "analytics", "archive", "bots", "broadworks", "callingData", "cdr_feed",
    "classifications", "contacts", "convergedRecordings", "dataSources",
    "deviceConfigurations", "devices", "groups", "identity", "licenses", "locations",
    "meetingInvitees", "meetingParticipants", "meetingPreferences", "meetingQualities",
    "meetingReports", "meetings", "meetingTranscripts", "numbers", "organizationContacts",
    "organizations", "partner", "places", "recordingReport", "recordings", "report", "reports",
    "resourceGroupMemberships", "resourceGroups", "roles", "securityAudit", "session",
    "slido", "telephony", "tracking", "videoMesh", "videos", "wholesale", "workspaceLocations",
    "workspaceMetrics", "workspacePersonalization", "workspaces", "xapi",
)  # fmt: skip
"""Whole families of resources, whatever follows their names."""

BROKER = {
    ("GET",): (".well-known/{rest:path}", "oauth2/v1/userinfo", "profile"),
    ("POST",): ("oauth2/v1/device/authorize", "oauth2/v1/device/token"),
    EVERY_METHOD: ("oauth2/v1/tokens", "oauth2/v2/{rest:path}", "saml2/{rest:path}"),
}


def front_door_gaps() -> list[Route]:
    """List the routes of what the front door lacks."""
    families = [path for name in _FAMILIES for path in (name, f"{name}/{{rest:path}}")]
    return [*_routes("/v1/", FRONT_DOOR), *_routes("/v1/", {EVERY_METHOD: families})]


def broker_gaps() -> list[Route]:
    """List the routes of what the broker lacks."""
    return _routes("/idb/", BROKER)


def _routes(base: str, paths_by_methods: Mapping[tuple[str, ...], Iterable[str]]) -> list[Route]:
    return [
        Route(f"{base}{path}", _answer, methods=list(methods))
        for methods, paths in paths_by_methods.items()
        for path in paths
    ]


async def _answer(request: Request) -> Response:
    what = f"{request.method} {request.url.path}"
    message = f"This emulator does not have {what} yet; Webex does."
    headers = {LACKING_HEADER: what}
    return gateway_error(request, HTTPStatus.NOT_IMPLEMENTED, message, headers)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The other origin: what it is called, where it is, and which paths are its own."""

    name: str
    origin: Origin
    paths: tuple[str, ...]


class UnknownPath:
    """Answer for a path that is unknown here: 401 without a good token, as Webex does, else 404."""

    def __init__(self, state: State, neighbour: Neighbour) -> None:
        self._state = state
        self._neighbour = neighbour

    async def answer(self, request: Request, error: Exception) -> Response:
        """Refuse."""
        path = request.url.path
        if path.startswith(self._neighbour.paths):
            origin = self._neighbour.origin.beside(request.scope)
            message = f"{path} is not here but at the {self._neighbour.name}, {origin}"
            return gateway_error(request, HTTPStatus.NOT_FOUND, message)
        if f"{path}/".startswith(CONTROL_PATH):
            message = f"The control API has no {path}; it has {', '.join(CONTROL_RESOURCES)}."
            return gateway_error(request, HTTPStatus.NOT_FOUND, message)
        try:
            check_bearer(self._state, request)
        except ApiRefusal as refusal:
            return await answer_api_refusal(request, refusal)
        return await answer_http_error(request, error)
