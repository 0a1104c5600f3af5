"""A Django project for WSGI and ASGI; it shows what its own tables say."""

import os
from pathlib import Path

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

FOLDER = Path(os.environ["SITE_FOLDER"])

settings.configure(
    SECRET_KEY="of-the-test-and-long-enough-for-the-checks-of-django-0123456789",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "db.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "webex_oauth.django",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "webex_oauth.django.middleware.WebexErrors",
    ],
    AUTHENTICATION_BACKENDS=[
        "django_backend.Connecting",
        "django.contrib.auth.backends.ModelBackend",
    ],
    LOGIN_URL="webex:login",
    LOGIN_REDIRECT_URL="/me",
    WEBEX_OAUTH={
        "client_id": os.environ["SITE_CLIENT_ID"],
        "client_secret": os.environ["SITE_CLIENT_SECRET"],
        "redirect_uri": os.environ["SITE_REDIRECT_URI"],
        "scopes": ["spark:people_read", "spark:rooms_read"],
        "origin": os.environ["SITE_WEBEX"],
        "store_url": f"sqlite:///{FOLDER / 'webex.sqlite3'}",
        "keys_file": FOLDER / "keys" / "keys",
        "allowed_orgs": os.environ["SITE_ORGS"].split(),
    },
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.contrib.auth import get_user_model, login  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402

from webex_oauth.django import agrant_of, grant_of, webex_required  # noqa: E402
from webex_oauth.errors import StoreUnavailable  # noqa: E402
from webex_oauth.webex import people, rooms  # noqa: E402


@login_required  # type: ignore[untyped-decorator]
def me(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"email": grant_of(request.user).email})


@webex_required("spark:rooms_read")
def list_rooms(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"count": sum(1 for _ in grant_of(request.user).items(rooms.listing()))})


@webex_required("spark:rooms_read")
async def list_rooms_async(request: HttpRequest) -> JsonResponse:
    grant = await agrant_of(request.user)
    count = len([room async for room in grant.items(rooms.listing())])
    named = (await grant.request("GET", "people/me")).json()["displayName"]
    token = await grant.access_token()
    is_same = (await grant.call(people.me())).display_name == named == grant.display_name
    return JsonResponse({"count": count, "same": is_same, "secret": str(token)})


@webex_required("spark:teams_read")
async def teams(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"may": True})


async def leave(request: HttpRequest) -> JsonResponse:
    await (await agrant_of(request.user)).revoke()
    return JsonResponse({})


def plant(request: HttpRequest) -> JsonResponse:
    request.session["planted"] = "before the sign-in"
    return JsonResponse({})


def with_password(request: HttpRequest) -> JsonResponse:
    """Sign a user in who is the project's own, as with their password."""
    user, _ = get_user_model().objects.get_or_create(username="own", email="own@acme.example")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return JsonResponse({})


def users(request: HttpRequest) -> JsonResponse:
    """Return the users, and change the one that is named."""
    table = get_user_model().objects.select_related("webex_account")
    table.filter(username=request.GET.get("close")).update(is_active=False)
    table.filter(username=request.GET.get("open")).update(is_active=True)
    return JsonResponse(
        {
            one.username: [one.email, one.webex_account.person_id]
            for one in table.filter(webex_account__isnull=False)
        }
    )


def down(_: HttpRequest) -> JsonResponse:
    raise StoreUnavailable("the store is away")


urlpatterns = [
    path(os.environ["SITE_PREFIX"], include("webex_oauth.django.urls")),
    path("me", me),
    path("rooms", list_rooms),
    path("async-rooms", list_rooms_async),
    path("teams", teams),
    path("leave", leave),
    path("plant", plant),
    path("users", users),
    path("with-password", with_password),
    path("down", down),
]
wsgi, asgi = get_wsgi_application(), get_asgi_application()

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line()
