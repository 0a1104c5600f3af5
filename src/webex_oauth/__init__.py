"""Sign in with Webex and keep the tokens alive.

A name is loaded when it is first used, so that importing this package costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webex_oauth.errors import (
        ApiError,
        ConfigurationError,
        GrantNotFound,
        MissingScope,
        ReauthRequired,
        SignInError,
        TemporaryError,
        VaultError,
        WebexOAuthError,
    )
    from webex_oauth.library.grants import AsyncGrant
    from webex_oauth.library.integration import AsyncIntegration
    from webex_oauth.library.synchronous import Grant, Integration
    from webex_oauth.secret import Secret
    from webex_oauth.settings import Settings
    from webex_oauth.vault.events import Event

__all__ = [
    "ApiError",
    "AsyncGrant",
    "AsyncIntegration",
    "ConfigurationError",
    "Event",
    "Grant",
    "GrantNotFound",
    "Integration",
    "MissingScope",
    "ReauthRequired",
    "Secret",
    "Settings",
    "SignInError",
    "TemporaryError",
    "VaultError",
    "WebexOAuthError",
]

_MODULE_BY_NAME = {
    "AsyncGrant": "library.grants",
    "AsyncIntegration": "library.integration",
    "Event": "vault.events",
    "Grant": "library.synchronous",
    "Integration": "library.synchronous",
    "Secret": "secret",
    "Settings": "settings",
}
"""Where a name is; the others are errors."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULE_BY_NAME.get(name, 'errors')}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return __all__
