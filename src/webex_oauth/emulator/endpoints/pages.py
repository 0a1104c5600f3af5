"""The pages that people see at the local Webex: its front page, and signing in and out.

Each says that it is not Webex. To sign in: choose a person, see what is requested, decide.
"""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from webex_oauth.emulator.endpoints.wire import Handler, Routes, lacking, read_form
from webex_oauth.emulator.identity import OAuthRefusal, Unredirectable
from webex_oauth.emulator.identity.integrations import OPENID_SCOPES
from webex_oauth.emulator.identity.sign_ins import (
    AuthorizationRequest,
    ReturnAddress,
    Transaction,
    callback_url,
    read_authorization_request,
    read_return_address,
    single_values,
)
from webex_oauth.emulator.journal import entry_of
from webex_oauth.emulator.origins import Origin
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person

_FOLDER = Path(__file__).parent.parent
STATIC_FOLDER = _FOLDER / "static"
"""The pages' style sheet, icon and pictures."""

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
# All at the start: the files may be replaced under a running emulator.
_TEMPLATES = {
    name: _ENVIRONMENT.get_template(name) for name in _ENVIRONMENT.list_templates(["html"])
}
# No form-action: browsers apply it to all redirects after a form, and how many origins an
# application leads through after its callback is not known here.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Cookies ignore ports. Without the path an application on the same host would receive the broker's,
# and without the port in its name a second emulator on this machine would overwrite it.
COOKIE_PATH = "/idb/oauth2/v1"

_IMPLICIT = {"token", "id_token"}
_DECLINED = "The resource owner or authorization server denied the request."
_PATH = "/idb/oauth2/v1/authorize"
_PERSON_PATH = f"{_PATH}/person"
_DECISION_PATH = f"{_PATH}/decision"


def page(template: str, status: int = HTTPStatus.OK, **values: Any) -> Response:
    """Return a page, made from its template."""
    html = _TEMPLATES[f"{template}.html"].render(values)
    return protected(HTMLResponse(html, status))


def redirect(url: str) -> Response:
    """Return a redirect to a URL that is sent exactly as it is."""
    return protected(Response(None, HTTPStatus.FOUND, {"Location": url}))


def protected(response: Response) -> Response:
    """Return an answer to a browser with the headers that protect it."""
    response.headers.update(
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": _POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
    )
    return response


def home_routes(front_door: Routes, broker: Routes) -> Routes:
    """Return the route of the front page, which lists what both origins answer."""

    async def show(state: State, request: Request) -> Response:
        return page(
            "home",
            origin=state.origins.front_door.as_asked(request.scope),
            broker_origin=state.origins.broker.beside(request.scope),
            front_door_routes=front_door,
            broker_routes=broker,
            integrations=state.integrations,
            people=state.world.sign_in_people,
        )

    return (("GET", "/", show),)


def handing_over(other: Literal["front_door", "broker"], path: str) -> Handler:
    """Return the answer for what the other origin has at *path*: a redirect with the query."""

    async def hand_over(state: State, request: Request) -> Response:
        origin: Origin = getattr(state.origins, other)
        return redirect(with_query(f"{origin.beside(request.scope)}{path}", request))

    return hand_over


def with_query(target: str, request: Request) -> str:
    """Return a URL with the query of a request exactly as it came."""
    query = request.scope["query_string"].decode("latin-1")
    return f"{target}?{query}" if query else target


async def answer_refusal(request: Request, error: Unredirectable) -> Response:
    """Answer with a page a request that cannot be sent back to the application."""
    return page(
        "refusal",
        HTTPStatus.BAD_REQUEST,
        error=error.error,
        description=error.description,
        tracking_id=entry_of(request.scope).tracking_id,
    )


async def _begin(state: State, request: Request) -> Response:
    parameters = single_values(request.query_params.multi_items())
    address = read_return_address(parameters, state.integrations)
    if address.integration.client_id in state.options.blocked_client_ids:
        raise Unredirectable(
            "access_denied", "Your administrator denied access to the integration you selected."
        )
    if _IMPLICIT & set(parameters.get("response_type", "").split()):
        raise lacking("the implicit grant")
    if OPENID_SCOPES & set(parameters.get("scope", "").split()):
        raise lacking("OpenID Connect")
    is_pkce_required = state.options.is_pkce_required
    try:
        asked = read_authorization_request(parameters, address, is_pkce_required=is_pkce_required)
        return first_page(state, request, asked)
    except OAuthRefusal as refusal:
        return _error_redirect(state, address, refusal)


def first_page(state: State, request: Request, asked: AuthorizationRequest) -> Response:
    """Return the page where a sign-in begins: consent, or the choice of a person."""
    person = _signed_in_person(state, request, asked)
    if asked.prompt == "none":
        return _without_page(state, asked, person)
    is_known = person is not None and asked.prompt != "select_account"
    return _consent_page(state, state.sign_ins.begin(asked, person if is_known else None))


def _without_page(state: State, asked: AuthorizationRequest, person: Person | None) -> Response:
    # OpenID Connect Core section 3.1.2.6.
    if person is None:
        raise OAuthRefusal("login_required", "Nobody is signed in.")
    client_id = asked.address.integration.client_id
    if not state.tokens.has_grant(client_id, person, asked.scopes):
        raise OAuthRefusal("consent_required", "The person has not consented yet.")
    return _decided(state, asked, person, is_accepted=True)


def _signed_in_person(state: State, request: Request, asked: AuthorizationRequest) -> Person | None:
    session = state.sign_ins.browsers.get(request.cookies.get(_cookie_name(request), ""))
    if session is None:
        return None
    age_seconds = state.clock.now() - session.authenticated_at
    is_too_old = asked.max_age_seconds is not None and age_seconds >= asked.max_age_seconds
    return None if is_too_old else session.person


async def _show_people(state: State, request: Request) -> Response:
    return _person_page(state, _transaction(state, request.query_params))


async def _choose_person(state: State, request: Request) -> Response:
    form = await read_form(request)
    transaction = _transaction(state, form)
    chosen = form.get("person", "")
    person = state.world.person(chosen) or state.world.person_by_email(chosen)
    if person is None or not person.can_sign_in:
        complaint = f"{chosen[:200]!r} cannot sign in: choose one of these people."
        return _person_page(state, transaction, complaint)
    session_id = state.sign_ins.choose_person(transaction, person)
    url = f"{_DECISION_PATH}?transaction={transaction.id}"
    response = protected(RedirectResponse(url, HTTPStatus.SEE_OTHER))
    name = _cookie_name(request)
    response.set_cookie(name, session_id, path=COOKIE_PATH, httponly=True, samesite="lax")
    return response


async def _show_consent(state: State, request: Request) -> Response:
    return _consent_page(state, _transaction(state, request.query_params))


async def _decide(state: State, request: Request) -> Response:
    form = await read_form(request)
    transaction = _transaction(state, form)
    person, decision = transaction.person, form.get("decision")
    if person is None or decision not in ("accept", "show", "decline"):
        return _consent_page(state, transaction)
    state.sign_ins.finish(transaction)
    entry_of(request.scope).client_id = transaction.request.address.integration.client_id
    answer = _decided(state, transaction.request, person, is_accepted=decision != "decline")
    target = answer.headers.get("location")
    return page("callback", url=target) if target and decision == "show" else answer


def _decided(
    state: State, asked: AuthorizationRequest, person: Person, *, is_accepted: bool
) -> Response:
    refusal, ceiling = None, state.options.granted_scopes
    if state.options.authorize_error:
        refusal = OAuthRefusal(
            state.options.authorize_error, "This error was arranged by an option."
        )
    elif not is_accepted:
        refusal = OAuthRefusal("access_denied", _DECLINED)
    scopes = tuple(name for name in asked.scopes if ceiling is None or name in ceiling)
    if asked.user_code:
        error = refusal.error if refusal else ""
        state.devices.decide(asked.user_code, person, scopes, error)
        return page("verified", error=error)
    if refusal:
        return _error_redirect(state, asked.address, refusal)
    code = state.sign_ins.issue_code(asked, person, scopes)
    return _return(state, asked.address, {"code": code.value}, asked.address.state)


def _error_redirect(state: State, address: ReturnAddress, refusal: OAuthRefusal) -> Response:
    parameters = {"error": refusal.error}
    if state.options.is_error_description_sent:
        parameters["error_description"] = refusal.description
    is_state_returned = state.options.is_state_returned_on_error
    return _return(state, address, parameters, address.state if is_state_returned else None)


def _return(
    state: State, address: ReturnAddress, parameters: dict[str, str], sent_state: str | None
) -> Response:
    if sent_state is not None:
        parameters["state"] = sent_state
    if state.options.callback_issuer:
        parameters["iss"] = state.options.callback_issuer
    return redirect(callback_url(address.redirect_uri, parameters))


def _transaction(state: State, fields: Mapping[str, str]) -> Transaction:
    transaction = state.sign_ins.find(fields.get("transaction", ""))
    if transaction is None:
        raise Unredirectable(
            "invalid_request",
            "This sign-in has expired or was finished before. Go back to the application "
            "and start again.",
        )
    return transaction


def _person_page(state: State, transaction: Transaction, complaint: str = "") -> Response:
    suggested = state.world.person_by_email(transaction.request.login_hint)
    people = state.world.sign_in_people
    return page(
        "person",
        HTTPStatus.BAD_REQUEST if complaint else HTTPStatus.OK,
        transaction=transaction,
        people=sorted(people, key=lambda person: person == suggested, reverse=True),
        suggested=suggested,
        complaint=complaint,
    )


def _consent_page(state: State, transaction: Transaction) -> Response:
    if transaction.person is None:
        return _person_page(state, transaction)
    return page("consent", transaction=transaction)


async def _sign_out(state: State, request: Request) -> Response:
    state.sign_ins.browsers.pop(request.cookies.get(_cookie_name(request), ""), None)
    if state.options.logout_revokes_token:
        state.tokens.revoke(request.query_params.get("token", ""))
    goto = request.query_params.get("goto", "")
    is_followed = _is_registered_origin(state, goto)
    response = redirect(goto) if is_followed else page("signed_out", is_goto_refused=bool(goto))
    response.delete_cookie(_cookie_name(request), path=COOKIE_PATH, httponly=True, samesite="lax")
    return response


def _is_registered_origin(state: State, url: str) -> bool:
    redirect_uris = (uri for one in state.integrations for uri in one.redirect_uris)
    origins = ("/".join(uri.split("/")[:3]) for uri in redirect_uris if uri.startswith("http"))
    is_sendable = url.isascii() and url.isprintable()
    return is_sendable and any(url.startswith(f"{origin}/") for origin in origins)


def _cookie_name(request: Request) -> str:
    return f"webex_emulator_browser_{request.url.port or request.url.scheme}"


FRONT_DOOR_ROUTES: Routes = (
    ("GET", "/v1/authorize", handing_over("broker", _PATH)),
    # Webex has it at the broker alone, whose address a local application is not told.
    ("GET", "/v1/logout", handing_over("broker", f"{COOKIE_PATH}/logout")),
)
BROKER_ROUTES: Routes = (
    ("GET", _PATH, _begin),
    ("GET", _PERSON_PATH, _show_people),
    ("POST", _PERSON_PATH, _choose_person),
    ("GET", _DECISION_PATH, _show_consent),
    ("POST", _DECISION_PATH, _decide),
    ("GET", f"{COOKIE_PATH}/logout", _sign_out),
)
