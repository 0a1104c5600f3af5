"""`GET /sessions` lists where the person is signed in; `POST /sessions/end` ends some of it."""

from starlette.responses import Response

from webex_oauth.web.failures import Refused
from webex_oauth.web.request_failures import BAD_REQUEST
from webex_oauth.web.views import SessionsPage
from webex_oauth.web.visit import Visit, redirect


async def show_sessions(visit: Visit) -> Response:
    """Show all browsers in which the person is signed in."""
    session = await visit.required_session()
    listed = await visit.site.integration.sessions.of_person(session)
    return visit.show(SessionsPage(visit.frame(), listed))


async def end_sessions(visit: Visit) -> Response:
    """End one other session, or all others; one that is gone already is as good as ended."""
    await visit.check_form()
    session, form = await visit.required_session(), await visit.form()
    sessions = visit.site.integration.sessions
    match form:
        case {"session": handle}:
            await sessions.end(session, handle)
        case {"others": _}:
            await sessions.end_others(session)
        case _:
            raise Refused(BAD_REQUEST, "the form names neither a session nor all others")
    return back_to_list()


async def leave_form(visit: Visit) -> Response:  # noqa: ARG001 - what every handler takes
    """Send whoever reloads or comes back to the form's address to the list."""
    return back_to_list()


def back_to_list() -> Response:
    """Show the list as it is now."""
    return redirect("/sessions")
