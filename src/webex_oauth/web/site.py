"""What all pages share."""

from dataclasses import dataclass

from webex_oauth.integration import Integration
from webex_oauth.settings import Settings
from webex_oauth.web.assets import Assets
from webex_oauth.web.cookies import CookieJar
from webex_oauth.web.readiness import Readiness
from webex_oauth.web.refusal_log import RefusalLog
from webex_oauth.web.rendering import Pages


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
