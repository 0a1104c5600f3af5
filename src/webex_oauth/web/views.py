"""What each page shows: one documented dataclass for each template.

Text in a view is plain text; the templates escape it. Instants are seconds since 1970 (UTC).
"""

from dataclasses import dataclass
from typing import TypeAlias

from webex_oauth.flows.sessions import ListedSession, TokenFate
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Profile
from webex_oauth.web.failures import Failure


@dataclass(frozen=True, slots=True)
class Account:
    """Name who is signed in; `name` is None when Webex did not say."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Frame:
    """Carry what stands around every page.

    `account` is None when nobody is signed in. `csrf_token` goes into every form that the page
    posts and may be None only where the server asks for none. `is_emulator` tells that Webex is
    the local one, `is_debugging` that each step of the flow is logged. `other_webex` is the host of
    a Webex that is neither the usual nor a local one; where that revokes tokens is not known.
    """

    account: Account | None
    csrf_token: Secret | None
    is_emulator: bool
    is_debugging: bool
    other_webex: str = ""


@dataclass(frozen=True, slots=True)
class ScopeInWords:
    """Say in plain words what a scope allows."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class GrantInWords:
    """Say what the person allowed and how long it lasts.

    `granted` is None when Webex did not say; `withheld` was requested but not granted.
    `access_ends_at` and `renewable_until` are None when Webex gave no date; `is_renewable` is
    whether a refresh token is kept. `ends_soon_at` is set when the person should sign in again
    before then; `has_ended` when nothing works any more until they do. `shows_spaces` is whether
    what was granted is enough for the list of spaces.
    """

    granted: tuple[ScopeInWords, ...] | None
    withheld: tuple[ScopeInWords, ...]
    access_ends_at: int | None
    is_renewable: bool
    renewable_until: int | None
    ends_soon_at: int | None = None
    has_ended: bool = False
    shows_spaces: bool = True


@dataclass(frozen=True, slots=True)
class HomePage:
    """Show the home page to a browser that is not signed in (`GET /`).

    `scopes` is what the sign-in asks for; `return_to` is where it leads. `was_signed_in` is
    whether the browser presents a session that has ended.
    """

    frame: Frame
    scopes: tuple[ScopeInWords, ...]
    return_to: str
    was_signed_in: bool = False


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Show the signed-in person (`GET /`).

    `profile` has the person's name. Its `avatar` is None to show initials; otherwise the page's
    Content-Security-Policy must allow it as an image.
    """

    frame: Frame
    profile: Profile
    grant: GrantInWords


@dataclass(frozen=True, slots=True)
class UnnamedPersonPage:
    """Show a sign-in whose person Webex did not name (`GET /`).

    `missing_scope` would bring the name; None where it was granted and Webex told no name.
    """

    frame: Frame
    missing_scope: ScopeInWords | None
    grant: GrantInWords


@dataclass(frozen=True, slots=True)
class Interruption:
    """Say why the list of spaces ends early.

    `retry_url` asks for the same list again; `reference_id` is in the log.
    """

    failure: Failure
    retry_url: str
    reference_id: str


@dataclass(frozen=True, slots=True)
class RoomsPage:
    """Show the list of spaces (`GET /listrooms`); its rows stand beside this view.

    `filter_text` is what the person searched for, empty for all spaces. `shown_count` rows of
    `total_count` spaces were sent; they differ when a filter is set. `unreadable_count` more stood
    in Webex's answers. `interruption` is None when Webex sent them all.
    """

    frame: Frame
    filter_text: str
    shown_count: int
    total_count: int
    unreadable_count: int
    interruption: Interruption | None


@dataclass(frozen=True, slots=True)
class SignOutPage:
    """Ask whether to sign out (`GET /logout`); nothing has changed yet.

    With `keeps_grants` the person's tokens stay.
    """

    frame: Frame
    keeps_grants: bool


@dataclass(frozen=True, slots=True)
class SignedOutPage:
    """Confirm a sign-out (`POST /logout`); `fate` is what became of the tokens, by its name."""

    frame: Frame
    fate: TokenFate


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """List the browsers in which the person is signed in (`GET /sessions`), this one first.

    `notice` says what was done before, empty where it was nothing.
    """

    frame: Frame
    sessions: tuple[ListedSession, ...]
    notice: str = ""


@dataclass(frozen=True, slots=True)
class DisconnectPage:
    """Ask whether to end everything (`GET /disconnect`); nothing has changed yet.

    `other_count` other browsers are signed out too.
    """

    frame: Frame
    other_count: int


@dataclass(frozen=True, slots=True)
class DisconnectedPage:
    """Confirm that everything has ended (`POST /disconnect`), and what became of the tokens."""

    frame: Frame
    fate: TokenFate


@dataclass(frozen=True, slots=True)
class ConfirmSignInPage:
    """Ask for a click before a sign-in that another site started (`GET /login`)."""

    frame: Frame
    return_to: str


@dataclass(frozen=True, slots=True)
class SignInAgain:
    """Offer a new sign-in that leads to `return_to`."""

    return_to: str


@dataclass(frozen=True, slots=True)
class Link:
    """Offer an address to go on to."""

    url: str
    label: str


WayOn: TypeAlias = SignInAgain | Link


@dataclass(frozen=True, slots=True)
class Detail:
    """Show one fact for whoever looks into a failure: an error code, a tracking id."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class FailurePage:
    """Show any failure with its honest status.

    `retry_after_seconds` is None unless Webex said when to come back; `missing_scope` is what was
    not granted, where that is the reason; `reference_id` is in the log.
    """

    frame: Frame
    failure: Failure
    way_on: WayOn | None
    retry_after_seconds: int | None
    details: tuple[Detail, ...]
    missing_scope: ScopeInWords | None
    reference_id: str


Page: TypeAlias = (
    HomePage
    | PersonPage
    | UnnamedPersonPage
    | SignOutPage
    | SignedOutPage
    | SessionsPage
    | DisconnectPage
    | DisconnectedPage
    | ConfirmSignInPage
    | FailurePage
)
