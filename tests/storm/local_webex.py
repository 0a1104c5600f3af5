"""A local Webex in this process, with one registered integration; it counts refreshes."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from peers.registration import Registration

from webex_oauth.emulator import Emulator, Options, RunningEmulator, Visitor
from webex_oauth.emulator.conditions import RefreshMode
from webex_oauth.errors import ReauthRequired
from webex_oauth.integration import OpenIntegration

MIRA = "mira@acme.example"
TOKEN_PATH = "/v1/access_token"  # a path, not a token
FORTNIGHT = 14 * 86_400
MOST_PRESENTED = 2
"""How often a refresh token that is spent by its use comes at most: there is one replay."""


@dataclass(frozen=True, slots=True)
class LocalWebex:
    """An emulator and what one integration knows of it."""

    emulator: Emulator
    registration: Registration

    @property
    def is_rotating(self) -> bool:
        """Whether a refresh spends the refresh token."""
        return self.emulator.options.refresh_mode != "same"

    def allow(self, authorization_url: str) -> str:
        """Sign in and consent; return the callback."""
        return Visitor().sign_in(authorization_url, MIRA)

    def let_tokens_live(self) -> None:
        """Issue access tokens that live as long as Webex's from now on."""
        self.emulator.change_options(access_token_lifetime_seconds=FORTNIGHT)

    def takes(self, access_token: str) -> bool:
        """Check whether it accepts this access token."""
        return self.emulator.tokens.access_token(access_token) is not None

    def holds(self, refresh_token: str) -> bool:
        """Check whether a refresh token would bring tokens."""
        return self.emulator.tokens.is_active(refresh_token)

    def living_grants(self) -> set[str]:
        """Return the ids of all grants that were not revoked."""
        return set(self.emulator.tokens._grant_by_id)

    def refreshed_grants(self) -> set[str]:
        """Return the ids of grants that brought more than their first access token."""
        counts = Counter(token.grant.id for token in self.emulator.tokens._access_by_value.values())
        return {grant for grant, count in counts.items() if count > 1}

    def grant_of(self, refresh_token: str) -> str | None:
        """Return the id of the grant that a refresh token, even a spent one, belongs to."""
        known = self.emulator.tokens._refresh_by_value.get(refresh_token)
        return None if known is None else known.grant.id

    def presentations(self) -> list[int]:
        """Return how often each refresh token came."""
        return presentations(self.emulator)

    def refreshes(self) -> list[int | None]:
        """Return what was answered to refreshes, also where a fault answered."""
        requests = self.emulator.journal.matching("POST", TOKEN_PATH)
        return [one.status for one in requests if "refresh_token" in one.form_by_name]

    def refresh_count(self) -> int:
        """Return how often it took a refresh token."""
        return self.refreshes().count(HTTPStatus.OK)

    def replay_count(self) -> int:
        """Return how often it refused a refresh token, as a strict one does when it comes twice."""
        return self.refreshes().count(HTTPStatus.BAD_REQUEST)


def presentations(emulator: Emulator) -> list[int]:
    """Return how often each refresh token came."""
    return list(presented(emulator).values())


def presented(emulator: Emulator) -> Counter[str]:
    """Count how often each refresh token came, by its digest."""
    forms = (entry.form_by_name for entry in emulator.journal.matching("POST", TOKEN_PATH))
    return Counter(form["refresh_token"] for form in forms if "refresh_token" in form)


@contextmanager
def running_local_webex(
    refresh_mode: RefreshMode, *, access_token_seconds: int = FORTNIGHT
) -> Iterator[LocalWebex]:
    """Run one that does this with refresh tokens."""
    options = Options(
        refresh_mode=refresh_mode,
        access_token_lifetime_seconds=access_token_seconds,
        requests_per_minute=0,
        access_token_quota=0,
    )
    with RunningEmulator(options=options) as running:
        integration = running.emulator.integration
        registration = Registration(
            origin=running.origin,
            client_id=integration.client_id,
            client_secret=integration.client_secret,
            redirect_uri=integration.redirect_uris[0],
            scopes=integration.scopes,
            is_webex=True,
        )
        yield LocalWebex(running.emulator, registration)


async def ask(integration: OpenIntegration, key: bytes, webex: LocalWebex) -> str | None:
    """Ask for an access token, which has to be good; return why only the person can help."""
    try:
        token = await integration.vault.access_token(key)
    except ReauthRequired as error:
        return error.reason
    assert webex.takes(token.reveal())
    return None
