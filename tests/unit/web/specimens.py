"""One or more of every view, as the application would fill it."""

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from webex_oauth.flows.sessions import ListedSession, TokenFate
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Profile
from webex_oauth.web.failures import PAGE_NOT_FOUND, Failure
from webex_oauth.web.views import (
    Account,
    ConfirmSignInPage,
    Detail,
    DisconnectedPage,
    DisconnectPage,
    FailurePage,
    Frame,
    GrantInWords,
    HomePage,
    Interruption,
    Link,
    Page,
    PersonPage,
    RoomsPage,
    ScopeInWords,
    SessionsPage,
    SignedOutPage,
    SignInAgain,
    SignOutPage,
    UnnamedPersonPage,
)
from webex_oauth.web.webex_failures import API_TIMED_OUT, SCOPE_MISSING

STRANGER = Frame(account=None, csrf_token=None, is_emulator=True, is_debugging=False)
MIRA = Frame(Account("Mira Ito"), Secret("csrf-of-mira"), is_emulator=False, is_debugging=True)
OTHER_WEBEX = replace(STRANGER, is_emulator=False, other_webex="api-usgov.webex.com")
UNNAMED = Frame(Account(None), Secret("csrf-of-unnamed"), is_emulator=False, is_debugging=False)

PEOPLE_READ = ScopeInWords("spark:people_read", "See who you are")
ROOMS_READ = ScopeInWords("spark:rooms_read", "See the titles of your spaces")

GRANT = GrantInWords(
    granted=(PEOPLE_READ, ROOMS_READ),
    withheld=(),
    access_ends_at=1_793_000_000,
    is_renewable=True,
    renewable_until=1_799_000_000,
)
PROFILE = Profile("person-id", "Mira Ito", "mira@acme.example", None, "organization-id")
PICTURED = replace(PROFILE, avatar="/avatars/mira.png")
THIS_SESSION = ListedSession(
    "handle-1", "Firefox on Linux", 1_790_000_000, 1_790_000_600, is_this=True
)
OTHER_SESSION = ListedSession(
    "handle-2", "Safari on iPhone", 1_780_000_000, 1_780_000_600, is_this=False
)
FAILURE_PAGE = FailurePage(
    frame=STRANGER,
    failure=PAGE_NOT_FOUND,
    way_on=None,
    retry_after_seconds=None,
    details=(),
    missing_scope=None,
    reference_id="3f9a2c71d0",
)

PAGES: tuple[Page, ...] = (
    HomePage(STRANGER, (PEOPLE_READ, ROOMS_READ), "/listrooms"),
    HomePage(replace(STRANGER, is_emulator=False), (PEOPLE_READ,), "/"),
    HomePage(OTHER_WEBEX, (PEOPLE_READ,), "/"),
    PersonPage(MIRA, PROFILE, GRANT),
    PersonPage(MIRA, PICTURED, replace(GRANT, granted=(PEOPLE_READ,), withheld=(ROOMS_READ,))),
    PersonPage(MIRA, replace(PROFILE, email=None, org_id=None), GRANT),
    UnnamedPersonPage(UNNAMED, PEOPLE_READ, replace(GRANT, granted=None, is_renewable=False)),
    UnnamedPersonPage(UNNAMED, PEOPLE_READ, replace(GRANT, granted=(), access_ends_at=None)),
    PersonPage(MIRA, PROFILE, replace(GRANT, ends_soon_at=1_799_000_000)),
    UnnamedPersonPage(UNNAMED, None, replace(GRANT, has_ended=True)),
    SignOutPage(MIRA, keeps_grants=False),
    SignOutPage(MIRA, keeps_grants=True),
    *(SignedOutPage(STRANGER, fate) for fate in TokenFate),
    SessionsPage(MIRA, (THIS_SESSION,)),
    SessionsPage(MIRA, (THIS_SESSION, OTHER_SESSION, replace(OTHER_SESSION, browser=None))),
    DisconnectPage(MIRA, other_count=0),
    DisconnectPage(MIRA, other_count=2),
    *(DisconnectedPage(STRANGER, fate) for fate in TokenFate),
    ConfirmSignInPage(STRANGER, "/listrooms"),
    FAILURE_PAGE,
    replace(FAILURE_PAGE, frame=MIRA, way_on=SignInAgain("/listrooms"), retry_after_seconds=90),
    replace(FAILURE_PAGE, failure=SCOPE_MISSING, missing_scope=ROOMS_READ),
    replace(FAILURE_PAGE, way_on=Link("/", "Home page"), details=(Detail("Error code", "odd"),)),
)

ALL_ROOMS = RoomsPage(MIRA, "", shown_count=2, total_count=2, unreadable_count=0, interruption=None)
SOME_ROOMS = RoomsPage(
    MIRA, "launch", shown_count=1, total_count=2, unreadable_count=0, interruption=None
)
NO_MATCH = RoomsPage(
    MIRA, "launch", shown_count=0, total_count=2, unreadable_count=0, interruption=None
)
NO_ROOMS = RoomsPage(MIRA, "", shown_count=0, total_count=0, unreadable_count=0, interruption=None)
CUT_SHORT = replace(
    ALL_ROOMS, interruption=Interruption(API_TIMED_OUT, "/listrooms?filter=a&again", "3f9a2c71d0")
)
UNREAD_ROOMS = replace(ALL_ROOMS, unreadable_count=3)
ROOMS_PAGES = (ALL_ROOMS, UNREAD_ROOMS, SOME_ROOMS, NO_MATCH, NO_ROOMS, CUT_SHORT)


@dataclass(frozen=True, slots=True)
class SampleRoom:
    """What a row shows of a room."""

    title: str | None
    type: str | None = "group"
    last_activity: str | None = "2026-03-02T10:05:01.337Z"
    is_title_unreadable: bool = False


def with_text(view: Any, text: str) -> Any:
    """Put *text* into every text of *view* that comes from outside."""
    if isinstance(view, str):
        return text
    if isinstance(view, tuple):
        return tuple(with_text(item, text) for item in view)
    if isinstance(view, Failure) or not is_dataclass(view) or isinstance(view, type):
        return view
    return replace(
        view,
        **{part.name: with_text(getattr(view, part.name), text) for part in fields(view)},
    )
