"""One or more of every page, as the application would fill it."""

from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import fields, replace
from unit.web.document import Document

from webex_oauth.flows.failures import FAILURES
from webex_oauth.flows.sessions import ListedSession, TokenFate
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Profile
from webex_oauth.web.failure_page import FailurePage
from webex_oauth.web.home import GrantInWords, HomePage, PersonPage
from webex_oauth.web.listrooms import Interruption, RoomsPage
from webex_oauth.web.rendering import About, Assets, Layout, Pages, View
from webex_oauth.web.sessions import DisconnectPage, SessionsPage, SignedOutPage, SignOutPage
from webex_oauth.web.sign_in import ConfirmSignInPage

WEBEX = About("webex-oauth")
EMULATOR = About("webex-oauth", is_emulator=True, is_at_home=True, is_debugging=True)
OTHER_WEBEX = About("webex-oauth", other_webex="api-usgov.webex.com")
WITH_HELP = About("Acme spaces", help_url="mailto:help@acme.example")
APPLICATIONS = (WEBEX, EMULATOR, OTHER_WEBEX, WITH_HELP)

GIVEN = "/given"
"""Where the links of a view lead: they are whole, and templates leave them so."""

STRANGER = Layout()
MIRA = Layout(Secret("csrf-of-mira"), "Mira Ito")
UNNAMED = Layout(Secret("csrf-of-unnamed"))

PEOPLE_READ, ROOMS_READ = "spark:people_read", "spark:rooms_read"
GRANT = GrantInWords(
    granted=(PEOPLE_READ, ROOMS_READ),
    withheld=(),
    access_ends_at=1_793_000_000,
    is_renewable=True,
    renewable_until=1_799_000_000,
)
PROFILE = Profile("person-id", "Mira Ito", "mira@acme.example", None, "organization-id")
NAMELESS = replace(PROFILE, display_name=None)
PICTURED = replace(PROFILE, avatar="/avatars/mira.png")
THIS_SESSION = ListedSession(
    "handle-1", "Firefox on Linux", 1_790_000_000, 1_790_000_600, is_this=True
)
OTHER_SESSION = ListedSession(
    "handle-2", "Safari on iPhone", 1_780_000_000, 1_780_000_600, is_this=False
)
FAILURE_PAGE = FailurePage(
    failure=FAILURES["page-not-found"],
    sign_in_to=None,
    link=None,
    retry_after_seconds=None,
    missing_scope=None,
    details=(),
    reference_id="3f9a2c71d0",
    at=1_790_000_000,
)
ALL_ROOMS = RoomsPage("", shown_count=2, total_count=2, unreadable_count=0, interruption=None)
SOME_ROOMS = replace(ALL_ROOMS, filter_text="launch", shown_count=1)
NO_MATCH = replace(SOME_ROOMS, shown_count=0)
NO_ROOMS = replace(ALL_ROOMS, shown_count=0, total_count=0)
CUT_SHORT = replace(
    ALL_ROOMS,
    interruption=Interruption(FAILURES["api-timed-out"], f"{GIVEN}?filter=a&again", "3f9a2c71d0"),
)
ROOMS_PAGES = (
    ALL_ROOMS,
    replace(ALL_ROOMS, unreadable_count=3),
    SOME_ROOMS,
    NO_MATCH,
    NO_ROOMS,
    CUT_SHORT,
)

PAGES: tuple[tuple[View, Layout], ...] = (
    (HomePage((PEOPLE_READ, ROOMS_READ)), STRANGER),
    (HomePage((PEOPLE_READ,), was_signed_in=True), STRANGER),
    (PersonPage(PROFILE, GRANT), MIRA),
    (PersonPage(PICTURED, replace(GRANT, withheld=(ROOMS_READ,), shows_spaces=False)), MIRA),
    (PersonPage(replace(PROFILE, email=None, org_id=None, person_id=None), GRANT), MIRA),
    (PersonPage(PROFILE, replace(GRANT, ends_soon_at=1_799_000_000)), MIRA),
    (PersonPage(NAMELESS, replace(GRANT, is_renewable=False), PEOPLE_READ), UNNAMED),
    (PersonPage(NAMELESS, replace(GRANT, granted=(), access_ends_at=None), PEOPLE_READ), UNNAMED),
    (PersonPage(NAMELESS, replace(GRANT, has_ended=True)), UNNAMED),
    (SignOutPage(keeps_grants=False), MIRA),
    (SignOutPage(keeps_grants=True), MIRA),
    (SessionsPage((THIS_SESSION,)), MIRA),
    (SessionsPage((THIS_SESSION, OTHER_SESSION), "Signed out Firefox."), MIRA),
    (DisconnectPage(other_count=0), MIRA),
    (DisconnectPage(other_count=2), MIRA),
    *((SignedOutPage(fate, is_everywhere=False), STRANGER) for fate in TokenFate),
    *((SignedOutPage(fate, is_everywhere=True), STRANGER) for fate in TokenFate),
    (ConfirmSignInPage("/listrooms", ""), STRANGER),
    (ConfirmSignInPage("/listrooms", ROOMS_READ), MIRA),
    (FAILURE_PAGE, STRANGER),
    (replace(FAILURE_PAGE, sign_in_to="/listrooms", retry_after_seconds=90), MIRA),
    (replace(FAILURE_PAGE, failure=FAILURES["scope-missing"], missing_scope=ROOMS_READ), MIRA),
    (replace(FAILURE_PAGE, failure=FAILURES["client-refused"]), STRANGER),
    (replace(FAILURE_PAGE, failure=FAILURES["api-server-failed"]), MIRA),
    (replace(FAILURE_PAGE, link=(GIVEN, "Home page"), details=(("Error code", "odd"),)), MIRA),
    *((page, MIRA) for page in ROOMS_PAGES),
)


@cache
def pages(about: About = WEBEX) -> Pages:
    """Return the application's pages, compiled once."""
    return Pages(Assets.packaged(), about)


def rendered(view: View, layout: Layout = MIRA, about: About = WEBEX) -> Document:
    """Return a page as its reader gets it."""
    return Document(pages(about).render(view, layout))


def with_text(view: Any, text: str) -> Any:
    """Return *view* with *text* in place of every text in it that comes from outside."""
    if isinstance(view, str):
        return text
    if isinstance(view, tuple):
        return tuple(with_text(item, text) for item in view)
    if not isinstance(view, Struct):
        return view
    return replace(
        view,
        **{part.name: with_text(getattr(view, part.name), text) for part in fields(view)},
    )
