"""Sign in with Webex in a Flask application of yours."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final, TypeAlias, cast

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    after_this_request,
    current_app,
    g,
    request,
    session as host_session,
)
from flask.typing import ResponseReturnValue
from werkzeug.local import LocalProxy

from webex_oauth.errors import WebexOAuthError
from webex_oauth.frameworks.answers import Answer
from webex_oauth.frameworks.asked import Asked, asked_of_wsgi
from webex_oauth.frameworks.door import (
    ANOTHER_SITE,
    KNOWS_NOBODY,
    SESSION_KEY,
    Reply,
    Session,
    SyncDoor,
)
from webex_oauth.library.synchronous import Grant, Integration
from webex_oauth.settings import Settings

EXTENSION: Final = "webex_oauth"
NO_SESSION: Final = 'session="host" needs Flask\'s session: set secret_key of the application'
NOT_CALLED: Final = "write @webex.login_required(), with the scopes between the parentheses"

OnSignIn: TypeAlias = Callable[[Grant], ResponseReturnValue | None]
View: TypeAlias = Callable[..., Any]


class WebexAuth:
    """Sign-in, callback and sign-out in *app*, and the person of a request.

    Call `init_app` later, or register `blueprint` yourself, if you leave *app* out. *integration*
    is one that you made; else one of *settings* is opened at first use, in each process anew.

    *session* is "cookie" for a session of this library, "host" for Flask's own, and None if
    *on_sign_in* keeps what it needs. That function hears of each sign-in, and may answer it; if it
    raises, the person is not signed in. The callback is at the path of the redirect URI, also if
    the server takes a prefix off it. If there are *allowed_orgs*, ids of organizations, nobody else
    is admitted.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        settings: Settings | None = None,
        integration: Integration | None = None,
        session: Session = "cookie",
        login_path: str = "/login",
        logout_path: str = "/logout",
        allowed_orgs: Iterable[str] = (),
        on_sign_in: OnSignIn | None = None,
    ) -> None:
        self.integration: Integration = integration or Integration(settings)
        self.login_path: str = login_path
        self._session = session
        self._on_sign_in = on_sign_in
        self._door = SyncDoor(
            self.integration,
            session=session,
            login_path=login_path,
            logout_path=logout_path,
            allowed_orgs=allowed_orgs,
            on_sign_in=on_sign_in,
        )
        self.blueprint: Blueprint = self._blueprint(login_path, logout_path)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add the pages and the answers to errors to *app*."""
        app.register_blueprint(self.blueprint)

    def _blueprint(self, login_path: str, logout_path: str) -> Blueprint:
        blueprint = Blueprint("webex", __name__)
        both, callback_path = ["GET", "POST"], self.integration.settings.callback_path
        blueprint.add_url_rule(login_path, "login", self._begin, methods=both)
        blueprint.add_url_rule(callback_path, "callback", self._complete)
        if self._session is not None:
            blueprint.add_url_rule(logout_path, "logout", self._sign_out, methods=both)
        blueprint.before_app_request(self._complete_below_prefix)
        blueprint.record_once(lambda state: state.app.extensions.update({EXTENSION: self}))
        blueprint.app_errorhandler(WebexOAuthError)(self.answer_error)
        return blueprint

    def login_required(self, *scopes: str) -> Callable[[View], View]:
        """Let a view be used by people who are signed in and allowed *scopes*."""
        if any(map(callable, scopes)):
            raise TypeError(NOT_CALLED)

        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                self.grant(*scopes)
                return current_app.ensure_sync(view)(*args, **kwargs)

            return guarded

        return decorate

    def grant(self, *scopes: str) -> Grant:
        """Return the grant of the person who is signed in, and allowed *scopes*.

        Raises what `answer_error` answers: GrantNotFound, ReauthRequired, MissingScope.
        """
        grant, url = self.optional_grant(), self._door.sign_in_url(_asked())
        return self._door.usable(grant, scopes, url)

    def optional_grant(self) -> Grant | None:
        """Return the grant of the person who is signed in, or None.

        A request that may change something and that another site sent is refused with 403.
        """
        if self._session is None:
            raise RuntimeError(KNOWS_NOBODY)
        if self._door.is_forged(_asked()):
            abort(403, ANOTHER_SITE)
        # An application context, and so `g`, may live for several requests.
        if g.get("webex_environ") is not request.environ:
            g.webex_environ, g.webex_grant = request.environ, self._current()
            after_this_request(_personal)
        return cast("Grant | None", g.webex_grant)

    def answer_error(self, error: WebexOAuthError) -> Response:
        """Return the answer to a request that ended in *error*."""
        return _response(self._door.answer_error(_asked(), error))

    def _current(self) -> Grant | None:
        found = self._door.run(self._door.current(_asked(), self._person_id()))
        return None if found is None else self._door.grant(found)

    def _person_id(self) -> str | None:
        """Return who is signed in by Flask's own session, if that is where it is kept."""
        if self._session != "host":
            return None
        if current_app.session_interface.is_null_session(host_session):
            raise RuntimeError(NO_SESSION)
        return host_session.get(SESSION_KEY)

    def _begin(self) -> Response:
        return _reply(self._door.run(self._door.begin(_asked(), self._person_id())))

    def _complete(self) -> ResponseReturnValue:
        reply = self._door.run(self._door.complete(_asked(), self._person_id()))
        own = None if reply.grant is None else self._enter(self._door.grant(reply.grant))
        return _reply(reply, own)

    def _complete_below_prefix(self) -> ResponseReturnValue | None:
        """Complete a sign-in whose path the server cut: no rule has only the rest of it."""
        is_callback = request.root_path + request.path == self.integration.settings.callback_path
        if not request.root_path or not is_callback or request.method not in {"GET", "HEAD"}:
            return None
        return self._complete()

    def _enter(self, grant: Grant) -> ResponseReturnValue | None:
        """Let the host know who has signed in."""
        if self._session == "host":
            if host_session.get(SESSION_KEY) != grant.person_id:
                # What was in it may be of somebody else, or planted.
                host_session.clear()
            host_session[SESSION_KEY] = grant.person_id
            regenerate = getattr(current_app.session_interface, "regenerate", None)
            if regenerate is not None:  # a session on the server has an id, which may be planted
                regenerate(host_session)
        try:
            return self._on_sign_in(grant) if self._on_sign_in else None
        except BaseException:  # such as abort(403)
            if self._session == "host":
                host_session.pop(SESSION_KEY, None)
            raise

    def _sign_out(self) -> Response:
        reply = self._door.run(self._door.sign_out(_asked()))
        if self._session == "host" and reply.is_done:
            host_session.clear()
        return _reply(reply)


def _auth() -> WebexAuth:
    return cast(WebexAuth, current_app.extensions[EXTENSION])


current_grant: Grant = LocalProxy(lambda: _auth().grant())  # type: ignore[assignment]
"""The grant of the person who is signed in; raises what `WebexAuth.answer_error` answers."""


def _asked() -> Asked:
    root = request.root_path
    return asked_of_wsgi(request.environ, request.headers, root + request.path, root)


def _reply(reply: Reply, own: ResponseReturnValue | None = None) -> Response:
    response = _response(reply.answer) if own is None else current_app.make_response(own)
    for cookie in reply.set_cookies:
        response.headers.add("Set-Cookie", cookie)
    return response


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers)


def _personal(response: Response) -> Response:
    """Keep caches from giving one person's answer to another."""
    response.vary.add("Cookie")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
