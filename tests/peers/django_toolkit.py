"""django-oauth-toolkit: an authorization server by others that forgives a replay for a minute."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import requests
from peers.person import allow
from peers.processes import FOLDER, running
from peers.registration import Registration
from waiting import LIMIT_SECONDS

REDIRECT_URI = "http://localhost:8080/oauth"


@dataclass(frozen=True, slots=True)
class DjangoToolkit:
    """A running server, and the password of a person there."""

    registration: Registration
    password: str

    def allow(self, authorization_url: str) -> str:
        """Sign in and consent; give the callback."""
        known = {"username": "mira", "password": self.password, "allow": "Authorize"}
        return allow(authorization_url, REDIRECT_URI, known)

    def takes(self, access_token: str) -> bool:
        """Return whether it accepts this access token."""
        headers = {"authorization": f"Bearer {access_token}"}
        answer = requests.get(
            f"{self.registration.origin}/read/", headers=headers, timeout=LIMIT_SECONDS
        )
        return answer.status_code == HTTPStatus.OK


@contextmanager
def running_django_toolkit(folder: Path) -> Iterator[DjangoToolkit]:
    """Run a server that keeps its rows in *folder*."""
    program = FOLDER / "programs" / "django_toolkit.py"
    with running([sys.executable, str(program), str(folder), REDIRECT_URI]) as told:
        origin = told["origin"]
        registration = Registration(
            origin=origin,
            client_id="a-client",
            client_secret=told["client_secret"],
            redirect_uri=REDIRECT_URI,
            scopes=("read",),
            authorization_endpoint=f"{origin}/o/authorize/",
            token_endpoint=f"{origin}/o/token/",
            revocation_endpoint=f"{origin}/o/revoke_token/",
        )
        yield DjangoToolkit(registration, told["password"])
