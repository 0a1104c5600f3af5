"""Django in one file, with its own users and sessions; the marked lines are about Webex."""

import sys
from pathlib import Path

import django
from django.conf import settings

settings.configure(
    DEBUG=True,
    SECRET_KEY="not-for-production-but-long-enough-for-django-checks-0123456789",
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path("db.sqlite3")}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "webex_oauth.django.apps.WebexOAuth",  # Webex
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "webex_oauth.django.middleware.WebexErrors",  # Webex
    ],
    AUTHENTICATION_BACKENDS=["webex_oauth.django.backend.WebexBackend"],  # Webex
    LOGIN_URL="webex:login",  # Webex
    LOGIN_REDIRECT_URL="/",
)
django.setup()

from django.contrib.auth.decorators import login_required  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.views.decorators.csrf import ensure_csrf_cookie  # noqa: E402

from webex_oauth.django import grant_of  # noqa: E402  # Webex
from webex_oauth.webex import rooms  # noqa: E402  # Webex


@ensure_csrf_cookie
@login_required
def me(request: HttpRequest) -> HttpResponse:
    grant = grant_of(request.user)
    return JsonResponse({"name": grant.display_name, "email": grant.email})


@login_required
def list_rooms(request: HttpRequest) -> HttpResponse:
    grant = grant_of(request.user).require("spark:rooms_read")
    found = [{"id": r.id, "title": r.title} for r in grant.items(rooms.listing())]
    return JsonResponse(found, safe=False)


urlpatterns = [
    path("", include("webex_oauth.django.urls")),  # Webex: login, callback, logout
    path("", me),
    path("api/rooms", list_rooms),
]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
