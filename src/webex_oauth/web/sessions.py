"""`/sessions`, `/logout` and `/disconnect`: where a person is signed in, and how that ends."""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Final
from urllib.parse import urlencode

from msgspec.structs import replace
from starlette.responses import Response

from webex_oauth.flows.sessions import ListedSession, TokenFate
from webex_oauth.secret import Secret
from webex_oauth.settings.pages import PagePath
from webex_oauth.web.refusals import Refused
from webex_oauth.web.rendering import View
from webex_oauth.web.visit import Visit, notice_proof, redirect

UNKNOWN_BROWSER: Final = "An unknown browser"
ALREADY_OUT: Final = "That browser was signed out already."


class SessionsPage(View, frozen=True):
    """The browsers in which the person is signed in, this one first.

    `notice` is what was done before, empty if nothing was.
    """

    template: ClassVar = "sessions.html"

    sessions: tuple[ListedSession, ...]
    notice: str = ""


class SignOutPage(View, frozen=True):
    """The question whether to sign out; with `keeps_grants` the person's tokens stay."""

    template: ClassVar = "sign_out.html"

    keeps_grants: bool


class DisconnectPage(View, frozen=True):
    """The question whether to end everything; `other_count` other browsers are signed out too."""

    template: ClassVar = "disconnect.html"

    other_count: int


class SignedOutPage(View, frozen=True):
    """The confirmation of a sign-out, here or `is_everywhere`; `fate` is that of the tokens."""

    template: ClassVar = "signed_out.html"

    fate: TokenFate
    is_everywhere: bool


async def show_sessions(visit: Visit) -> Response:
    """Show all browsers in which the person is signed in, and what was done before."""
    session = await visit.required_session()
    listed = await visit.site.integration.sessions.of_person(session)
    notice, proof = visit.query_field("notice"), visit.query_field("proof")
    if Secret(proof) != Secret(notice_proof(notice, session.session_id)):
        notice = ""
    return visit.show(SessionsPage(told_apart(listed), notice))


async def end_sessions(visit: Visit) -> Response:
    """End one other session, or all others; one that is gone already counts as ended.

    The list then says what was done.
    """
    session, form = await visit.check_form(), await visit.form()
    sessions = visit.site.integration.sessions
    match form:
        case {"session": handle}:
            listed = await sessions.of_person(session)
            is_ended = await sessions.end(session, handle)
            name = next((one.browser for one in listed if one.handle == handle), None)
            notice = f"Signed out {name or 'an unknown browser'}." if is_ended else ALREADY_OUT
        case {"others": _}:
            count = await sessions.end_others(session)
            notice = f"Signed out {count} other {'browser' if count == 1 else 'browsers'}."
        case _:
            raise Refused("bad-request", "the form names neither a session nor all others")
    query = {"notice": notice, "proof": notice_proof(notice, session.session_id)}
    return redirect(f"{_list(visit)}?{urlencode(query)}")


async def leave_form(visit: Visit) -> Response:
    """Send a browser that reloads the form's address to the list."""
    return redirect(_list(visit))


def _list(visit: Visit) -> str:
    return visit.site.settings.path_of(PagePath.SESSIONS)


def told_apart(listed: Sequence[ListedSession]) -> tuple[ListedSession, ...]:
    """Name every browser, and number those of one name in the order of their sign-ins."""
    names = Counter(one.browser or UNKNOWN_BROWSER for one in listed)
    numbered = Counter[str]()
    name_by_handle = {}
    for one in sorted(listed, key=lambda one: (one.created_at, one.handle)):
        name = one.browser or UNKNOWN_BROWSER
        numbered[name] += 1
        number = f" ({numbered[name]})" if names[name] > 1 else ""
        name_by_handle[one.handle] = name + number
    return tuple(replace(one, browser=name_by_handle[one.handle]) for one in listed)


async def ask_to_sign_out(visit: Visit) -> Response:
    """Ask; nothing changes."""
    if await visit.session() is None:
        return redirect(visit.site.home.path)
    return visit.show(SignOutPage(visit.site.integration.context.keeps_grants))


async def sign_out(visit: Visit) -> Response:
    """End the session here, then its tokens at Webex, and clear what the browser kept."""
    session = await visit.check_form()
    fate = await visit.site.integration.sessions.sign_out(session.session_id)
    return visit.show_signed_out(SignedOutPage(fate, is_everywhere=False))


async def ask_to_disconnect(visit: Visit) -> Response:
    """Show what it does and ask; nothing changes."""
    session = await visit.required_session()
    listed = await visit.site.integration.sessions.of_person(session)
    return visit.show(DisconnectPage(len(listed) - 1))


async def disconnect(visit: Visit) -> Response:
    """End every session of the person and their grant, then its tokens at Webex."""
    session = await visit.check_form()
    fate = await visit.site.integration.sessions.disconnect(session.grant_key)
    return visit.show_signed_out(SignedOutPage(fate, is_everywhere=True))
