"""A local Webex in this process that tells how often each refresh token came."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from peers.registration import Registration

from webex_oauth.emulator import Emulator, Options, RunningEmulator, Visitor
from webex_oauth.emulator.conditions import RefreshMode
from webex_oauth.errors import ReauthRequired
from webex_oauth.integration import Integration
from webex_oauth.secret import Secret

MIRA = "mira@acme.example"
TOKEN_PATH = "/v1/access_token"  # a path, not a token
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
        """Sign in and consent; give the callback."""
        return Visitor().sign_in(authorization_url, MIRA)

    def accepts(self, access_token: Secret) -> bool:
        """Say whether an access token is good."""
        return self.emulator.tokens.access_token(access_token.reveal()) is not None

    def holds(self, refresh_token: Secret) -> bool:
        """Say whether a refresh token would bring tokens."""
        return self.emulator.tokens.is_active(refresh_token.reveal())

    def living_grants(self) -> set[str]:
        """Name every grant that was not revoked."""
        return set(self.emulator.tokens._grant_by_id)

    def refreshed_grants(self) -> set[str]:
        """Name every grant that brought more than its first access token."""
        counts = Counter(token.grant.id for token in self.emulator.tokens._access_by_value.values())
        return {grant for grant, count in counts.items() if count > 1}

    def grant_of(self, refresh_token: Secret) -> str | None:
        """Name the grant that a refresh token stands for, or stood for before it was spent."""
        known = self.emulator.tokens._refresh_by_value.get(refresh_token.reveal())
        return None if known is None else known.grant.id

    def presentations(self) -> list[int]:
        """Count how often each refresh token came."""
        return presentations(self.emulator)


def presentations(emulator: Emulator) -> list[int]:
    """Count how often each refresh token came."""
    return list(presented(emulator).values())


def presented(emulator: Emulator) -> Counter[str]:
    """Count how often each refresh token came, by its digest."""
    forms = (entry.form_by_name for entry in emulator.journal.matching("POST", TOKEN_PATH))
    return Counter(form["refresh_token"] for form in forms if "refresh_token" in form)


@contextmanager
def running_local_webex(
    refresh_mode: RefreshMode, *, access_token_seconds: int = 14 * 86_400
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


async def ask(integration: Integration, key: bytes, webex: LocalWebex) -> str | None:
    """Ask for a token, which has to be good; give why only the person can help."""
    try:
        token = await integration.vault.access_token(key)
    except ReauthRequired as error:
        return error.reason
    assert webex.accepts(token)
    return None
