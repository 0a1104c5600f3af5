"""Pages to sign in and out: `path("", include("webex_oauth.django.urls"))`."""

from collections.abc import Iterator
from typing import Final

from django.conf import settings as host_settings
from django.contrib.auth import authenticate, get_backends, login, logout
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from webex_oauth.django import door, integration, person_id_of
from webex_oauth.django.backend import WebexBackend
from webex_oauth.django.middleware import asked_of, response_of
from webex_oauth.frameworks.door import Reply
from webex_oauth.library.synchronous import Grant

NO_BACKEND: Final = "add webex_oauth.django.backend.WebexBackend to AUTHENTICATION_BACKENDS"
METHODS: Final = require_http_methods(["GET", "HEAD", "POST"])


def sign_in(request: HttpRequest) -> HttpResponse:
    """Begin a sign-in that leads to `next`, as Django calls it."""
    target = request.GET.get("next") or resolve_url(host_settings.LOGIN_REDIRECT_URL)
    work = door().begin(asked_of(request), person_id_of(request.user), return_to=target)
    return _respond(door().run(work))


def callback(request: HttpRequest) -> HttpResponse:
    """Complete a sign-in, and let its person into a session of Django's."""
    if request.path != integration().settings.callback_path:
        raise Http404
    reply = door().run(door().complete(asked_of(request), person_id_of(request.user)))
    if reply.grant is not None:
        _enter(request, door().grant(reply.grant))
    return _respond(reply)


def sign_out(request: HttpRequest) -> HttpResponse:
    """End Django's session; the grant stays until it is revoked."""
    home = resolve_url(host_settings.LOGOUT_REDIRECT_URL or "/")
    reply = door().run(door().sign_out(asked_of(request), home=home))
    if reply.is_done:
        logout(request)
    return _respond(reply)


def _enter(request: HttpRequest, grant: Grant) -> None:
    if not any(isinstance(backend, WebexBackend) for backend in get_backends()):
        raise ImproperlyConfigured(NO_BACKEND)
    user = authenticate(request, webex_grant=grant)
    if user is None:
        grant.revoke()
        raise PermissionDenied("no active user is this person")
    login(request, user)


def _respond(reply: Reply) -> HttpResponse:
    response = response_of(reply.answer)
    for cookie in reply.set_cookies:
        response.cookies.load(cookie)
    return response


def _callbacks(callback_path: str) -> Iterator[URLPattern]:
    """Yield the callback for each prefix below which a project may include these pages."""
    parts = callback_path.removeprefix("/").split("/")
    for start in range(len(parts)):
        yield path("/".join(parts[start:]), require_safe(callback), name="callback")


app_name = "webex"
# Exempt from Django's check of forms: they look at Origin and Sec-Fetch-Site themselves.
urlpatterns: list[URLPattern] = [
    path("login", csrf_exempt(METHODS(sign_in)), name="login"),
    path("logout", csrf_exempt(METHODS(sign_out)), name="logout"),
    *_callbacks(integration().settings.callback_path),
]
