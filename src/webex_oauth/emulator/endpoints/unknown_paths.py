"""Unknown paths: where the other origin has them, the answer says so; the rest ends as at Webex."""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

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
