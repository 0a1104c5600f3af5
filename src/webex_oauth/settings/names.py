"""The names of all settings, and of what others would take for one."""

import difflib
from collections.abc import Iterable
from typing import Final

NAMES: Final = frozenset(
    {
        "AUTH_INIT_URL",
        "CLIENT_SECRET",
        "CLIENT_SECRET_FILE",
        "STATE",
        "PORT",
        "DEBUG",
        "WEBEX_CLIENT_ID",
        "WEBEX_REDIRECT_URI",
        "WEBEX_SCOPES",
        "WEBEX_ORIGIN",
        "WEBEX_HOST",
        "WEBEX_WORKERS",
        "WEBEX_STORE_URL",
        "WEBEX_KEYS_FILE",
        "WEBEX_KEYS",
        "WEBEX_KEEP_GRANTS",
        "WEBEX_KEEPER",
        "WEBEX_IDLE_SECONDS",
        "WEBEX_ABSOLUTE_SECONDS",
        "WEBEX_PROXY",
        "WEBEX_CA_FILE",
    }
)
PATH_NAMES: Final = frozenset(
    {"CLIENT_SECRET_FILE", "WEBEX_STORE_URL", "WEBEX_KEYS_FILE", "WEBEX_CA_FILE"}
)
SQLITE: Final = "sqlite:///"
IGNORED_ENVIRONMENT: Final = {
    "HTTPS_PROXY": "set WEBEX_PROXY if Webex is behind a proxy",
    "HTTP_PROXY": "set WEBEX_PROXY if Webex is behind a proxy",
    "ALL_PROXY": "set WEBEX_PROXY if Webex is behind a proxy",
    "SSL_CERT_FILE": "set WEBEX_CA_FILE if a proxy replaces certificates",
    "SSLKEYLOGFILE": "keys of connections are never written down",
}
CLOSE = 0.85


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return words that suggest the known name closest to *name*; nothing if none is close."""
    names = set(known)
    nearest = [other for other in (f"WEBEX_{name}", name.removeprefix("WEBEX_")) if other in names]
    nearest += difflib.get_close_matches(name, names, n=1, cutoff=CLOSE)
    return f"; did you mean {nearest[0]}?" if nearest else ""
