"""A good configuration, and what is wrong with changes of it."""

from urllib.parse import quote

import pytest

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings import Settings

CLIENT_SECRET = "5ec2e7a1" * 8
REDIRECT_URI = "http://localhost:8080/oauth"
GOOD = {
    "WEBEX_CLIENT_ID": "C0ffee",
    "CLIENT_SECRET": CLIENT_SECRET,
    "WEBEX_REDIRECT_URI": REDIRECT_URI,
    "WEBEX_SCOPES": "spark:people_read spark:rooms_read",
}


def portal_url(**changes: str) -> str:
    """Return the URL that the Developer Portal shows."""
    fields = {
        "client_id": "C0ffee",
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "spark:people_read spark:rooms_read",
        "state": "set_state_here",
    } | changes
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
    return f"https://webexapis.com/v1/authorize?{query}"


def mistakes(**changes: str) -> tuple[str, ...]:
    """Return the mistakes of a configuration that is good but for *changes*."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env(None, GOOD | changes)
    return caught.value.mistakes


def only_mistake(**changes: str) -> str:
    told = mistakes(**changes)
    assert len(told) == 1, told
    return told[0]


def warnings(**changes: str) -> tuple[str, ...]:
    return Settings.from_env(None, GOOD | changes).warnings
