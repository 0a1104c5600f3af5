"""Sign in with Webex and keep the tokens alive.

A name is loaded when it is first used, so that importing this package costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webex_oauth.errors import WebexOAuthError
    from webex_oauth.integration import open_integration
    from webex_oauth.secret import Secret
    from webex_oauth.settings import Settings

__all__ = [
    "Secret",
    "Settings",
    "WebexOAuthError",
    "open_integration",
]

_MODULE_BY_NAME = {
    "Secret": "webex_oauth.secret",
    "Settings": "webex_oauth.settings",
    "WebexOAuthError": "webex_oauth.errors",
    "open_integration": "webex_oauth.integration",
}


def __getattr__(name: str) -> object:
    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_BY_NAME[name]), name)
