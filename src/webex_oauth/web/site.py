"""What all pages share."""

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from webex_oauth.integration import Integration
from webex_oauth.settings import Settings
from webex_oauth.settings.urls import is_loopback
from webex_oauth.web.assets import Assets
from webex_oauth.web.cookies import CookieJar
from webex_oauth.web.readiness import Readiness
from webex_oauth.web.refusal_log import RefusalLog
from webex_oauth.web.rendering import Pages

LIBRARY = logging.getLogger("webex_oauth")


@dataclass(frozen=True, slots=True)
class Site:
    """Hold what is made once and used by every page.

    `acting_paths` are those of pages that do something, to which no sign-in leads back.
    """

    settings: Settings
    public_origin: str
    integration: Integration
    pages: Pages
    assets: Assets
    cookies: CookieJar
    readiness: Readiness
    refusals: RefusalLog
    acting_paths: frozenset[str]

    @property
    def is_debugging(self) -> bool:
        """Whether each step of a sign-in is logged, and only the operator can see this page."""
        is_at_home = is_loopback(urlsplit(self.public_origin))
        return self.settings.is_debugging and is_at_home and LIBRARY.isEnabledFor(logging.DEBUG)
