"""Signing in and out in a browser: choose a person, see what is asked for, decide."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from webex_oauth.emulator.endpoints.wire import query_pairs, read_form
from webex_oauth.emulator.identity.authorization import (
    AuthorizationRequest,
    OAuthRefusal,
    ReturnAddress,
    Unredirectable,
    callback_url,
    read_authorization_request,
    read_return_address,
    single_values,
)
from webex_oauth.emulator.identity.sign_ins import BrowserSession, Transaction
from webex_oauth.emulator.journal import annotations_of, tracking_id_of
from webex_oauth.emulator.origins import Origin
from webex_oauth.emulator.pages import ConsentPage, Pages, PersonPage, RefusalPage, SignedOutPage
from webex_oauth.emulator.shelf import Shelf
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person

COOKIE_PATH = "/idb/oauth2/v1"


def cookie_name(request: Request) -> str:
    """Return the name of the cookie at the port that the browser asked."""
    return f"webex_emulator_browser_{request.url.port or request.url.scheme}"


def browser_id(request: Request) -> str:
    """Return what the browser's cookie says; empty when it has none."""
    return request.cookies.get(cookie_name(request), "")


def read_browser(request: Request, browsers: Shelf[str, BrowserSession]) -> BrowserSession | None:
    """Find the session of the browser that asks."""
    return browsers.get(browser_id(request))


def set_browser_cookie(request: Request, response: Response, session: BrowserSession) -> None:
    """Set the cookie by which the browser is signed in."""
    name = cookie_name(request)
    response.set_cookie(name, session.id, path=COOKIE_PATH, httponly=True, samesite="lax")


def delete_browser_cookie(request: Request, response: Response) -> None:
    """Delete the cookie."""
    name = cookie_name(request)
    response.delete_cookie(name, path=COOKIE_PATH, httponly=True, samesite="lax")


AUTHORIZE_PATH = "/idb/oauth2/v1/authorize"
PERSON_PATH = f"{AUTHORIZE_PATH}/person"
DECISION_PATH = f"{AUTHORIZE_PATH}/decision"

_Answer = Callable[[Request], Awaitable[Response]]


def hand_over_route(broker: Origin) -> Route:
    """Return the front door's route, which hands the browser on to the broker as Webex does."""

    async def hand_over(request: Request) -> Response:
        # With the query as it came: only the broker reads it.
        target = f"{broker.beside(request.scope)}{AUTHORIZE_PATH}"
        query = request.scope["query_string"].decode("latin-1")
        location = f"{target}?{query}" if query else target
        headers = {"Location": location, "Cache-Control": "no-store"}
        return Response(None, HTTPStatus.FOUND, headers=headers)

    return Route("/v1/authorize", hand_over)


class AuthorizeEndpoint:
    """Lead a person from an authorization request to a redirect."""

    def __init__(self, state: State, pages: Pages) -> None:
        self._state = state
        self._pages = pages

    def routes(self) -> list[Route]:
        """List the paths of this endpoint."""
        return [
            Route(AUTHORIZE_PATH, self._guarded(self.begin)),
            Route(PERSON_PATH, self._guarded(self.show_people)),
            Route(PERSON_PATH, self._guarded(self.choose_person), methods=["POST"]),
            Route(DECISION_PATH, self._guarded(self.show_consent)),
            Route(DECISION_PATH, self._guarded(self.decide), methods=["POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Read an authorization request and show the first page it needs."""
        parameters = single_values(_query(request))
        address = read_return_address(parameters, self._state.integrations)
        self._check_blocked(address)
        is_pkce_required = self._state.switchboard.options.is_pkce_required
        try:
            asked = read_authorization_request(
                parameters, address, is_pkce_required=is_pkce_required
            )
            return self._first_page(request, asked)
        except OAuthRefusal as refusal:
            return self._error_redirect(address, refusal)

    async def show_people(self, request: Request) -> Response:
        """Show who could sign in, for a transaction under way."""
        return self._person_page(self._transaction(request.query_params))

    async def choose_person(self, request: Request) -> Response:
        """Take the choice of a person and go on to consent."""
        form = await read_form(request)
        transaction = self._transaction(form)
        chosen = form.get("person", "")
        person = self._find_person(chosen)
        if person is None:
            complaint = f"{chosen[:200]!r} cannot sign in: choose one of these people."
            return self._person_page(transaction, complaint)
        self._state.transactions.choose_person(transaction, person.uuid)
        url = f"{DECISION_PATH}?transaction={transaction.id}"
        response = RedirectResponse(url, HTTPStatus.SEE_OTHER)
        set_browser_cookie(request, response, self._state.sign_in_browser(person))
        return self._pages.protected(response)

    async def show_consent(self, request: Request) -> Response:
        """Show who asks for what, for a transaction under way."""
        return self._consent_page(self._transaction(request.query_params))

    async def decide(self, request: Request) -> Response:
        """Take the decision and go back to the application."""
        form = await read_form(request)
        transaction = self._transaction(form)
        person = self._state.world.person(transaction.person_uuid or "")
        if person is None or form.get("decision") not in ("accept", "decline"):
            return self._consent_page(transaction)
        self._state.transactions.close(transaction)
        annotations = annotations_of(request.scope)
        annotations.client_id = transaction.request.address.integration.client_id
        return self._decided(transaction.request, person, is_accepted=form["decision"] == "accept")

    def _guarded(self, answer: _Answer) -> _Answer:
        """Return *answer*, with a page for what it refuses and must not send back."""

        async def guarded(request: Request) -> Response:
            try:
                return await answer(request)
            except (Unredirectable, OAuthRefusal) as refusal:
                tracking_id = tracking_id_of(request.scope)
                view = RefusalPage(refusal.error, refusal.description, tracking_id)
                return self._pages.answer(view, HTTPStatus.BAD_REQUEST)

        return guarded

    def _first_page(self, request: Request, asked: AuthorizationRequest) -> Response:
        person = self._signed_in_person(request, asked)
        if asked.prompt == "none":
            return self._without_page(asked, person)
        if asked.prompt == "select_account":
            person = None
        transaction = self._state.transactions.open(asked, person.uuid if person else None)
        return self._consent_page(transaction)

    def _without_page(self, asked: AuthorizationRequest, person: Person | None) -> Response:
        # OpenID Connect Core section 3.1.2.6.
        if person is None:
            raise OAuthRefusal("login_required", "Nobody is signed in.")
        client_id = asked.address.integration.client_id
        if not self._state.tokens.has_grant(client_id, person, asked.scopes):
            raise OAuthRefusal("consent_required", "The person has not consented yet.")
        return self._decided(asked, person, is_accepted=True)

    def _signed_in_person(self, request: Request, asked: AuthorizationRequest) -> Person | None:
        session = read_browser(request, self._state.browsers)
        if session is None:
            return None
        age_seconds = self._state.clock.now() - session.authenticated_at
        if asked.max_age_seconds is not None and age_seconds >= asked.max_age_seconds:
            return None
        return self._state.world.person(session.person_uuid)

    def _decided(
        self, asked: AuthorizationRequest, person: Person, *, is_accepted: bool
    ) -> Response:
        try:
            self._check_decision(is_accepted=is_accepted)
        except OAuthRefusal as refusal:
            return self._error_redirect(asked.address, refusal)
        ceiling = self._state.switchboard.options.granted_scopes
        scopes = tuple(name for name in asked.scopes if ceiling is None or name in ceiling)
        code = self._state.codes.issue(asked, person, scopes)
        return self._redirect(asked.address, {"code": code.value}, asked.address.state)

    def _check_decision(self, *, is_accepted: bool) -> None:
        arranged_error = self._state.switchboard.options.authorize_error
        if arranged_error:
            raise OAuthRefusal(arranged_error, "This error was arranged by an option.")
        if not is_accepted:
            raise OAuthRefusal("access_denied", "The person declined the request.")

    def _error_redirect(self, address: ReturnAddress, refusal: OAuthRefusal) -> Response:
        options = self._state.switchboard.options
        parameters = {"error": refusal.error}
        if options.is_error_description_sent:
            parameters["error_description"] = refusal.description
        return self._redirect(
            address, parameters, address.state if options.is_state_returned_on_error else None
        )

    def _redirect(
        self, address: ReturnAddress, parameters: dict[str, str], state: str | None
    ) -> Response:
        if state is not None:
            parameters["state"] = state
        issuer = self._state.switchboard.options.callback_issuer
        if issuer:
            parameters["iss"] = issuer
        url = callback_url(address.redirect_uri, parameters)
        return self._pages.protected(Response(None, HTTPStatus.FOUND, headers={"Location": url}))

    def _check_blocked(self, address: ReturnAddress) -> None:
        if address.integration.client_id in self._state.switchboard.options.blocked_client_ids:
            raise Unredirectable(
                "access_denied",
                "Your administrator denied access to the integration you selected.",
            )

    def _transaction(self, fields: Mapping[str, str]) -> Transaction:
        transaction = self._state.transactions.find(fields.get("transaction", ""))
        if transaction is None:
            raise Unredirectable(
                "invalid_request",
                "This sign-in has expired or was finished before. Go back to the application "
                "and start again.",
            )
        return transaction

    def _find_person(self, uuid_or_email: str) -> Person | None:
        world = self._state.world
        person = world.person(uuid_or_email) or world.person_by_email(uuid_or_email)
        return person if person and person.can_sign_in else None

    def _person_page(self, transaction: Transaction, complaint: str = "") -> Response:
        view = PersonPage(transaction, self._state.world.sign_in_people, complaint)
        status = HTTPStatus.BAD_REQUEST if complaint else HTTPStatus.OK
        return self._pages.answer(view, status)

    def _consent_page(self, transaction: Transaction) -> Response:
        person = self._state.world.person(transaction.person_uuid or "")
        if person is None:
            return self._person_page(transaction)
        return self._pages.answer(ConsentPage(transaction, person))


def _query(request: Request) -> list[tuple[str, str]]:
    try:
        return query_pairs(request)
    except ValueError as cause:
        raise Unredirectable("invalid_request", "The query is malformed.") from cause


class LogoutEndpoint:
    """End browser sessions."""

    def __init__(self, state: State, pages: Pages) -> None:
        self._state = state
        self._pages = pages

    def routes(self) -> list[Route]:
        """List the paths of this endpoint."""
        return [Route("/idb/oauth2/v1/logout", self.sign_out)]

    async def sign_out(self, request: Request) -> Response:
        """Sign the browser out, and redirect only to where an integration lives."""
        self._state.browsers.take(browser_id(request))
        if self._state.switchboard.options.logout_revokes_token:
            self._state.tokens.revoke(request.query_params.get("token", ""))
        response = self._answer(request.query_params.get("goto", ""))
        delete_browser_cookie(request, response)
        return response

    def _answer(self, goto: str) -> Response:
        if self._is_registered_origin(goto):
            redirect = Response(None, HTTPStatus.FOUND, headers={"Location": goto})
            return self._pages.protected(redirect)
        return self._pages.answer(SignedOutPage(is_goto_refused=bool(goto)))

    def _is_registered_origin(self, url: str) -> bool:
        origin = _origin(url)
        return origin is not None and any(
            _origin(redirect_uri) == origin
            for integration in self._state.integrations
            for redirect_uri in integration.redirect_uris
        )


def _origin(url: str) -> tuple[str, str] | None:
    if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and bool(parts.netloc)
    return (parts.scheme, parts.netloc.lower()) if is_web else None
