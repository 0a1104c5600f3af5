"""npm's oidc-provider: an authorization server by others that ends a grant at the first replay."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import requests
from peers.person import allow
from peers.processes import node, running
from peers.registration import Registration
from waiting import LIMIT_SECONDS

from webex_oauth.oauth.server import ClientAuthentication

REDIRECT_URI = "http://localhost:8080/oauth"
A_PERSON = {"login": "mira", "password": "of no importance"}
LATER = 14 * 86_400


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """A running provider, and what it tells of itself."""

    registration: Registration

    def allow(self, authorization_url: str) -> str:
        """Sign in and consent; give the callback."""
        return allow(authorization_url, REDIRECT_URI, A_PERSON)

    def let_tokens_live(self) -> None:
        """Do nothing: only its first access token is over soon."""

    def refresh_count(self) -> int:
        """Return how often it took a refresh token."""
        return self._told().count(["granted", "refresh_token"])

    def replay_count(self) -> int:
        """Return how often it refused a request at its token endpoint, or ended a grant."""
        return sum(what in {"refused", "revoked"} for what, _ in self._told())

    def takes(self, access_token: str) -> bool:
        """Return whether it accepts this access token."""
        headers = {"authorization": f"Bearer {access_token}"}
        answer = requests.get(
            f"{self.registration.origin}/me", headers=headers, timeout=LIMIT_SECONDS
        )
        return answer.status_code == HTTPStatus.OK

    def _told(self) -> list[list[str]]:
        answer = requests.get(f"{self.registration.origin}/told", timeout=LIMIT_SECONDS)
        told: list[list[str]] = answer.json()
        return told


@contextmanager
def running_oidc_provider(
    host: str = "127.0.0.1", *, first_token_lives: int = LATER
) -> Iterator[OidcProvider]:
    """Run a provider that listens on *host*."""
    command = [*node("oidc_provider.mjs"), host, REDIRECT_URI, str(first_token_lives)]
    with running(command) as told:
        origin = told["origin"]
        yield OidcProvider(
            Registration(
                origin=origin,
                client_id="a client",
                client_secret=told["client_secret"],
                redirect_uri=REDIRECT_URI,
                scopes=("openid",),
                authorization_endpoint=f"{origin}/auth",
                token_endpoint=f"{origin}/token",
                revocation_endpoint=f"{origin}/token/revocation",
                authentication=ClientAuthentication.BASIC,
                sends_issuer=True,
            )
        )
