"""The emulator: a local Webex as two ASGI applications, and the handles to arrange things in it."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ExceptionHandler

from webex_oauth.emulator.conditions import MovableClock, Options, Randomness
from webex_oauth.emulator.endpoints.authorize import (
    AuthorizeEndpoint,
    LogoutEndpoint,
    hand_over_route,
)
from webex_oauth.emulator.endpoints.control import Control
from webex_oauth.emulator.endpoints.home import Home, broker_home_routes
from webex_oauth.emulator.endpoints.lacking import (
    Neighbour,
    UnknownPath,
    broker_gaps,
    front_door_gaps,
)
from webex_oauth.emulator.endpoints.people import Avatars, PeopleApi
from webex_oauth.emulator.endpoints.rooms import RoomsApi
from webex_oauth.emulator.endpoints.token import OwnToken, RevocationEndpoint, TokenEndpoint
from webex_oauth.emulator.endpoints.wire import (
    ApiRefusal,
    Throttled,
    answer_api_refusal,
    answer_bug,
    answer_http_error,
    answer_throttled,
)
from webex_oauth.emulator.fault_injection import FaultInjection
from webex_oauth.emulator.identity.integrations import (
    Integration,
    new_integration,
)
from webex_oauth.emulator.identity.tokens import IssuedTokens
from webex_oauth.emulator.journal import CONTROL_PATH, Recording
from webex_oauth.emulator.origins import Origin, Origins
from webex_oauth.emulator.pages import Pages
from webex_oauth.emulator.seed import seeded_world
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person, World

_LARGEST_BODY = 262_144


class Emulator:
    """A local Webex with two origins. Without *integrations* one is invented and registered."""

    def __init__(
        self,
        origins: Origins,
        *,
        world: World | None = None,
        clock: MovableClock | None = None,
        options: Options | None = None,
        integrations: Iterable[Integration] = (),
        randomness: Randomness | None = None,
        control_token: str = "",
    ) -> None:
        randomness = randomness or Randomness()
        state = self._state = State(
            origins,
            world=world or seeded_world(),
            clock=clock or MovableClock(),
            randomness=randomness,
            options=options or Options(),
            integrations=tuple(integrations) or (new_integration(randomness),),
        )
        self.front_door, self.broker = _applications(state, control_token)
        self.origin = origins.front_door.configured
        """Scheme, host and port of the front door: what applications know as Webex."""
        self.broker_origin = origins.broker.configured
        """Scheme, host and port of the identity broker, where people sign in."""
        self.world = state.world
        """The people and their rooms."""
        self.clock = state.clock
        """The clock that decides what has expired."""
        self.faults = state.faults
        """The script of what shall go wrong."""
        self.journal = state.journal
        """What was asked."""
        self.integrations = state.integrations
        """The registered integrations."""
        self.tokens = state.tokens
        """The grants and tokens that are alive."""

    @property
    def integration(self) -> Integration:
        """The integration that was registered first."""
        return next(iter(self._state.integrations))

    @property
    def options(self) -> Options:
        """The options in force."""
        return self._state.switchboard.options

    def change_options(self, **changes: Any) -> Options:
        """Switch some options, by name; raise `ValueError` for a name that is none."""
        return self._state.switchboard.change(**changes)

    def register(
        self, *redirect_uris: str, scopes: tuple[str, ...] = (), name: str = ""
    ) -> Integration:
        """Invent and register one more integration."""
        first = self.integration
        integration = new_integration(
            self._state.randomness,
            redirect_uris=redirect_uris or first.redirect_uris,
            scopes=scopes or first.scopes,
            name=name or first.name,
        )
        return self.integrations.register(integration)

    def grant_without_consent(
        self,
        person: Person,
        *,
        scopes: tuple[str, ...] = (),
        integration: Integration | None = None,
    ) -> IssuedTokens:
        """Issue tokens as if a person had accepted, for tests that begin after the sign-in."""
        client = integration or self.integration
        return self.tokens.issue(client.client_id, person, scopes or client.scopes)

    def reset(self) -> None:
        """Forget what happened and what was arranged; keep the world and the registrations."""
        self._state.reset()


def _applications(state: State, control_token: str) -> tuple[Starlette, Starlette]:
    pages, origins = Pages(), state.origins
    front_door = _front_door_routes(state, control_token)
    broker = _broker_routes(state, pages)
    home = Home(state, pages, front_door, broker).routes()
    return (
        _application(
            state,
            [*home, *front_door, *front_door_gaps()],
            origins.front_door,
            Neighbour("identity broker", origins.broker, ("/idb/",)),
        ),
        _application(
            state,
            [*broker_home_routes(origins.front_door), *broker, *broker_gaps()],
            origins.broker,
            Neighbour("front door", origins.front_door, ("/v1/", CONTROL_PATH)),
        ),
    )


def _application(
    state: State, routes: list[BaseRoute], origin: Origin, neighbour: Neighbour
) -> Starlette:
    answer_by_error: dict[Any, ExceptionHandler] = {
        ApiRefusal: answer_api_refusal,
        Throttled: answer_throttled,
        HTTPStatus.NOT_FOUND: UnknownPath(state, neighbour).answer,
        HTTPException: answer_http_error,
        Exception: answer_bug,
    }
    application = Starlette(
        routes=routes,
        middleware=[
            Middleware(Recording, state.journal, state.randomness),
            Middleware(FaultInjection, state.faults, origin),
        ],
        exception_handlers=answer_by_error,
        max_body_size=_LARGEST_BODY,
    )
    application.router.redirect_slashes = False
    return application


def _front_door_routes(state: State, control_token: str) -> list[BaseRoute]:
    return [
        hand_over_route(state.origins.broker),
        *TokenEndpoint(state, "gateway").routes(),
        *RevocationEndpoint(state, "gateway").routes(),
        *PeopleApi(state).routes(),
        *RoomsApi(state).routes(),
        *Avatars(state).routes(),
        *Control(state, control_token).routes(),
    ]


def _broker_routes(state: State, pages: Pages) -> list[BaseRoute]:
    return [
        *AuthorizeEndpoint(state, pages).routes(),
        *TokenEndpoint(state, "broker").routes(),
        *RevocationEndpoint(state, "broker").routes(),
        *OwnToken(state).routes(),
        *LogoutEndpoint(state, pages).routes(),
        *Avatars(state).routes(),
    ]
