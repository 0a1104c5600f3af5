"""The people API: developer.webex.com/docs/api/v1/people."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webex_oauth.emulator.endpoints.answers import ApiRefusal, json_answer
from webex_oauth.emulator.endpoints.bearer import Permission, check_permission
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world.identifiers import MalformedId, read_webex_id
from webex_oauth.emulator.world.people import Person, person_answer


class PeopleApi:
    """Answer about people, to those who may read them."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """List the paths of this API."""
        return [
            Route("/v1/people/me", self.me),
            Route("/v1/people/{person_id}", self.person),
        ]

    async def me(self, request: Request) -> Response:
        """Show the person whose token it is."""
        return self._answer(request, self._permitted(request).person)

    async def person(self, request: Request) -> Response:
        """Show a person by id."""
        self._permitted(request)
        try:
            uuid = read_webex_id("PEOPLE", request.path_params["person_id"])
        except MalformedId as malformed:
            raise ApiRefusal(HTTPStatus.BAD_REQUEST, str(malformed)) from malformed
        person = self._state.world.person(uuid)
        if person is None:
            raise ApiRefusal(HTTPStatus.NOT_FOUND, "Person not found")
        return self._answer(request, person)

    def _permitted(self, request: Request) -> Permission:
        return check_permission(self._state, request, api="people", scope="spark:people_read")

    def _answer(self, request: Request, person: Person) -> Response:
        origin = self._state.origins.front_door.as_asked(request.scope)
        return json_answer(person_answer(person, origin))
