"""An authorization server by others: django-oauth-toolkit, which rotates and forgives a replay.

Arguments: a folder for its database, the client's redirect URI. The first line of its output says
where it is; it ends with its standard input.
"""

import json
import secrets
import sys
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

HOUR = 3600
LOGIN_PAGE = '<form method="post">{% csrf_token %}{{ form }}<button>Log in</button></form>'
APPS = (
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "oauth2_provider",
)
MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)
STRICT_BUT_FOR_A_MINUTE = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": HOUR,
    "PKCE_REQUIRED": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 60,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ROTATE_REFRESH_TOKEN": True,
    "SCOPES": {"read": "Read"},
}


def configure(folder: Path) -> None:
    """Describe the project to Django."""
    template_loader = ("django.template.loaders.locmem.Loader", {"login.html": LOGIN_PAGE})
    loaders = [template_loader, "django.template.loaders.app_directories.Loader"]
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "server.sqlite"}
        },
        INSTALLED_APPS=APPS,
        LOGIN_URL="/login/",
        MIDDLEWARE=MIDDLEWARE,
        OAUTH2_PROVIDER=STRICT_BUT_FOR_A_MINUTE,
        ROOT_URLCONF=__name__,
        SECRET_KEY=secrets.token_urlsafe(),
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": loaders,
                    "context_processors": ["django.template.context_processors.request"],
                },
            }
        ],
        USE_TZ=True,
    )
    django.setup()


def routes() -> list[Any]:
    """List its pages; Django's parts can be imported only now that it is configured."""
    # ruff: noqa: PLC0415
    from django.contrib.auth.views import LoginView
    from django.http import HttpRequest, HttpResponse
    from django.urls import include, path
    from oauth2_provider.decorators import protected_resource

    @protected_resource(scopes=["read"])  # type: ignore[untyped-decorator]  # the toolkit has no types
    def read(_: HttpRequest) -> HttpResponse:
        return HttpResponse("read")

    return [
        path("login/", LoginView.as_view(template_name="login.html")),
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
        path("read/", read),
    ]


def register(redirect_uri: str) -> dict[str, str]:
    """Make a client and a person who may use it."""
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    password, client_secret = secrets.token_urlsafe(), secrets.token_urlsafe()
    User.objects.create_user("mira", password=password)
    Application.objects.create(
        client_id="a-client",
        client_secret=client_secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=redirect_uri,
    )
    return {"client_secret": client_secret, "password": password}


class Server(ThreadingMixIn, WSGIServer):
    """Answer several at once."""

    daemon_threads = True


def main(folder: Path, redirect_uri: str) -> None:
    """Serve until standard input ends."""
    configure(folder)
    call_command("migrate", verbosity=0)
    urlpatterns.extend(routes())
    told = register(redirect_uri)
    server = make_server(
        "127.0.0.1", 0, get_wsgi_application(), Server, handler_class=WSGIRequestHandler
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"origin": f"http://127.0.0.1:{server.server_port}", **told}), flush=True)
    sys.stdin.read()


urlpatterns: list[Any] = []

if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
