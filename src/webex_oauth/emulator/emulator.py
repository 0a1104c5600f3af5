"""The emulator: a local Webex as two ASGI applications, and the handles to arrange things in it."""

from functools import cached_property, partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, request_response
from starlette.staticfiles import StaticFiles

from webex_oauth.emulator.endpoints import (
    control,
    control_page,
    devices,
    lacking,
    messages,
    pages,
    people,
    rooms,
    token,
    wire,
)
from webex_oauth.emulator.fault_injection import FaultInjection
from webex_oauth.emulator.identity import OAuthRefusal, Unredirectable
from webex_oauth.emulator.identity.integrations import Integration, new_integration
from webex_oauth.emulator.identity.tokens import IssuedTokens
from webex_oauth.emulator.journal import Recording
from webex_oauth.emulator.origins import Origin
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person

_FRONT_DOOR: wire.Routes = (
    *pages.FRONT_DOOR_ROUTES,
    *token.FRONT_DOOR_ROUTES,
    *devices.FRONT_DOOR_ROUTES,
    *people.ROUTES,
    *rooms.ROUTES,
    *messages.ROUTES,
    *control.ROUTES,
    *control_page.FRONT_DOOR_ROUTES,
)
_BROKER: wire.Routes = (
    *pages.BROKER_ROUTES,
    *token.BROKER_ROUTES,
    *devices.BROKER_ROUTES,
    *control_page.BROKER_ROUTES,
    *people.AVATAR_ROUTES,
)


class Emulator(State):
    """A local Webex with two origins; without *integrations* one is invented and registered."""

    @cached_property
    def front_door(self) -> Starlette:
        """The application at the front door, where the REST API answers."""
        home = pages.home_routes(_FRONT_DOOR, _BROKER)
        routes = (*home, *_FRONT_DOOR, *lacking.FRONT_DOOR_ROUTES)
        return _application(self, routes, self.origins.front_door)

    @cached_property
    def broker(self) -> Starlette:
        """The application at the identity broker, where people sign in."""
        home = ("GET", "/", pages.handing_over("front_door", "/"))
        routes = (home, *_BROKER, *lacking.BROKER_ROUTES)
        return _application(self, routes, self.origins.broker)

    @property
    def integration(self) -> Integration:
        """The integration that was registered first."""
        return next(iter(self.integrations))

    def register(self, *redirect_uris: str, scopes: tuple[str, ...] = ()) -> Integration:
        """Invent and register one more integration, by default as the first one."""
        first = self.integration
        integration = new_integration(
            self.randomness,
            redirect_uris=redirect_uris or first.redirect_uris,
            scopes=scopes or first.scopes,
            name=first.name,
        )
        return self.integrations.register(integration)

    def withdraw(self, person: Person, *, integration: Integration | None = None) -> None:
        """End what a person allowed one integration, or all of them, as the person would."""
        self.tokens.withdraw(person, integration.client_id if integration else "")

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


def _application(state: State, routes: wire.Routes, origin: Origin) -> Starlette:
    answer_by_error: dict[Any, Any] = {
        Unredirectable: pages.answer_refusal,
        OAuthRefusal: partial(wire.answer_oauth_error, state),
        HTTPException: wire.answer_http_error,
        Exception: wire.answer_bug,
    }
    application = Starlette(
        routes=[
            Mount("/_static", StaticFiles(directory=pages.STATIC_FOLDER)),
            *(
                Route(path, partial(answer, state), methods=methods.split())
                for methods, path, answer in routes
            ),
        ],
        middleware=[
            Middleware(Recording, journal=state.journal, randomness=state.randomness),
            Middleware(FaultInjection, script=state.faults, origin=origin),
        ],
        exception_handlers=answer_by_error,
    )
    application.router.redirect_slashes = False
    application.router.default = request_response(partial(lacking.answer_unknown, state, origin))
    return application
