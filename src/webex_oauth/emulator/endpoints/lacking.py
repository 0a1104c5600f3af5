"""Paths that are not here: what the emulator lacks of Webex, what the other origin has, the rest.

A path is a template of Starlette's; methods are listed where they are known, else all are lacking.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webex_oauth.emulator.control import CONTROL_RESOURCES
from webex_oauth.emulator.endpoints.answers import (
    ApiRefusal,
    answer_api_refusal,
    answer_http_error,
    gateway_error,
)
from webex_oauth.emulator.endpoints.bearer import check_bearer
from webex_oauth.emulator.origins import Origin
from webex_oauth.emulator.recording import CONTROL_PATH
from webex_oauth.emulator.state import State

LACKING_HEADER = "Emulator-Lacks"
EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")

_LIST_AND_CREATE = ("GET", "POST")
_READ_CHANGE_DELETE = ("GET", "PUT", "DELETE")

FRONT_DOOR: dict[str, tuple[str, ...]] = {
    # Messaging
    "/v1/people": _LIST_AND_CREATE,
    "/v1/people/{person_id}": ("PUT", "DELETE"),
    "/v1/rooms": ("POST",),
    "/v1/rooms/{room_id}": ("PUT", "DELETE"),
    "/v1/rooms/{room_id}/meetingInfo": ("GET",),
    "/v1/messages": _LIST_AND_CREATE,
    "/v1/messages/direct": ("GET",),
    "/v1/messages/{message_id}": _READ_CHANGE_DELETE,
    "/v1/contents/{content_id}": ("GET", "HEAD"),
    "/v1/memberships": _LIST_AND_CREATE,
    "/v1/memberships/{membership_id}": _READ_CHANGE_DELETE,
    "/v1/teams": _LIST_AND_CREATE,
    "/v1/teams/{team_id}": _READ_CHANGE_DELETE,
    "/v1/team/memberships": _LIST_AND_CREATE,
    "/v1/team/memberships/{membership_id}": _READ_CHANGE_DELETE,
    "/v1/webhooks": _LIST_AND_CREATE,
    "/v1/webhooks/{webhook_id}": _READ_CHANGE_DELETE,
    "/v1/events": ("GET",),
    "/v1/events/{event_id}": ("GET",),
    "/v1/attachment/actions": ("POST",),
    "/v1/attachment/actions/{action_id}": ("GET",),
    "/v1/room/tabs": _LIST_AND_CREATE,
    "/v1/room/tabs/{tab_id}": _READ_CHANGE_DELETE,
    "/v1/room/linkedFolders": _LIST_AND_CREATE,
    "/v1/room/linkedFolders/{folder_id}": _READ_CHANGE_DELETE,
    "/v1/hds/{rest:path}": ("GET",),
    # Other ways to a token
    "/v1/.well-known/{rest:path}": ("GET",),
    "/v1/userinfo": ("GET",),
    "/v1/verification": ("GET",),
    "/v1/device/authorize": ("POST",),
    "/v1/device/token": ("POST",),
    "/v1/guests/token": ("POST",),
    "/v1/jwt/login": ("POST",),
    "/v1/authorizations": ("GET", "DELETE"),
    "/v1/authorizations/tokenExpiry": ("GET",),
    "/v1/authorizations/{authorization_id}": ("DELETE",),
    "/v1/applications": EVERY_METHOD,
    "/v1/applications/{rest:path}": EVERY_METHOD,
}
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

BROKER: dict[str, tuple[str, ...]] = {
    "/idb/.well-known/{rest:path}": ("GET",),
    "/idb/oauth2/v1/device/authorize": ("POST",),
    "/idb/oauth2/v1/device/token": ("POST",),
    "/idb/oauth2/v1/tokens": EVERY_METHOD,
    "/idb/oauth2/v1/userinfo": ("GET",),
    "/idb/oauth2/v2/{rest:path}": EVERY_METHOD,
    "/idb/profile": ("GET",),
    "/idb/saml2/{rest:path}": EVERY_METHOD,
}


def front_door_gaps() -> list[Route]:
    """List the routes of what the front door lacks."""
    names = [f"/v1/{name}" for name in _FAMILIES]
    families = [(path, EVERY_METHOD) for one in names for path in (one, f"{one}/{{rest:path}}")]
    return _routes([*FRONT_DOOR.items(), *families])


def broker_gaps() -> list[Route]:
    """List the routes of what the broker lacks."""
    return _routes(BROKER.items())


def _routes(gaps: Iterable[tuple[str, tuple[str, ...]]]) -> list[Route]:
    return [Route(path, _answer, methods=list(methods)) for path, methods in gaps]


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
