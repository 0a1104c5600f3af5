"""Authorization servers whose first access token ends at once.

Strict ones end a grant when a refresh token comes twice. With another, the token stays the same.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol, TypeAlias

from peers.oidc_provider import running_oidc_provider
from peers.registration import Registration
from storm.local_webex import running_local_webex

FIRST_TOKEN_LIVES = 1
"""Seconds, so that a test need not wait long for the end of it."""


class Authority(Protocol):
    """A server that counts what is presented to it."""

    @property
    def registration(self) -> Registration:
        """What a client knows."""
        ...

    def allow(self, authorization_url: str) -> str:
        """Sign in and consent as a person; return the callback."""
        ...

    def let_tokens_live(self) -> None:
        """Issue long-lived access tokens from now on."""
        ...

    def refresh_count(self) -> int:
        """Return how often it took a refresh token."""
        ...

    def replay_count(self) -> int:
        """Return how often it refused a refresh token."""
        ...

    def takes(self, access_token: str) -> bool:
        """Check whether it accepts this access token."""
        ...


RunAuthority: TypeAlias = Callable[[], AbstractContextManager[Authority]]

AUTHORITIES: dict[str, RunAuthority] = {
    "emulator": partial(
        running_local_webex, "reuse-detect", access_token_seconds=FIRST_TOKEN_LIVES
    ),
    "emulator, same": partial(running_local_webex, "same", access_token_seconds=FIRST_TOKEN_LIVES),
    "oidc-provider": partial(running_oidc_provider, first_token_lives=FIRST_TOKEN_LIVES),
}
