"""The names of all settings, and of what others would take for one."""

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
IGNORED_ENVIRONMENT: Final = (
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSLKEYLOGFILE",
)
