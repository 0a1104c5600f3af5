"""Sign in with Webex and keep the tokens alive."""

from webex_oauth.errors import WebexOAuthError
from webex_oauth.integration import Integration, open_integration
from webex_oauth.secret import Secret
from webex_oauth.settings import Settings, read_settings

__all__ = [
    "Integration",
    "Secret",
    "Settings",
    "WebexOAuthError",
    "open_integration",
    "read_settings",
]
