"""Where a person is signed in, and how that ends: `/sessions`, `/logout` and `/disconnect`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from starlette.responses import Response

from webex_oauth.flows.sessions import ListedSession, LiveSession
from webex_oauth.web.browser_security import is_notice_proof, notice_proof
from webex_oauth.web.failures import BAD_REQUEST, Refused
from webex_oauth.web.views import (
    DisconnectedPage,
    DisconnectPage,
    SessionsPage,
    SignedOutPage,
    SignOutPage,
)
from webex_oauth.web.visit import Visit, redirect

UNKNOWN_BROWSER = "An unknown browser"
ALREADY_OUT = "That browser was signed out already."


async def show_sessions(visit: Visit) -> Response:
    """Show all browsers in which the person is signed in, and what was done before."""
    session = await visit.required_session()
    listed = await visit.site.integration.sessions.of_person(session)
    notice, proof = visit.query_field("notice"), visit.query_field("proof")
    if not is_notice_proof(proof, notice, session.session_id):
        notice = ""
    return visit.show(SessionsPage(visit.frame(), told_apart(listed), notice))


async def end_sessions(visit: Visit) -> Response:
    """End one other session, or all others; one that is gone already is as good as ended."""
    await visit.check_form()
    session, form = await visit.required_session(), await visit.form()
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
            raise Refused(BAD_REQUEST, "the form names neither a session nor all others")
    return back_to_list(notice, session)


async def leave_form(visit: Visit) -> Response:  # noqa: ARG001 - what every handler takes
    """Send whoever reloads or comes back to the form's address to the list."""
    return redirect("/sessions")


def back_to_list(notice: str, session: LiveSession) -> Response:
    """Show the list as it is now, and say what was done."""
    query = {"notice": notice, "proof": notice_proof(notice, session.session_id)}
    return redirect(f"/sessions?{urlencode(query)}")


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
        return redirect("/")
    keeps_grants = visit.site.integration.context.keeps_grants
    return visit.show(SignOutPage(visit.frame(), keeps_grants))


async def sign_out(visit: Visit) -> Response:
    """End the session here, then its tokens at Webex, and clear what the browser kept."""
    await visit.check_form()
    session = await visit.required_session()
    fate = await visit.site.integration.sessions.sign_out(session.session_id)
    visit.forget_session()
    return visit.let_go(SignedOutPage(visit.frame(), fate))


async def ask_to_disconnect(visit: Visit) -> Response:
    """Say what it does and ask; nothing changes."""
    session = await visit.required_session()
    listed = await visit.site.integration.sessions.of_person(session)
    return visit.show(DisconnectPage(visit.frame(), other_count=len(listed) - 1))


async def disconnect(visit: Visit) -> Response:
    """End every session of the person and their grant, then its tokens at Webex."""
    await visit.check_form()
    session = await visit.required_session()
    fate = await visit.site.integration.sessions.disconnect(session.grant_key)
    visit.forget_session()
    return visit.let_go(DisconnectedPage(visit.frame(), fate))
