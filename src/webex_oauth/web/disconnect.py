"""`GET /disconnect` asks, `POST /disconnect` ends all that this application has of the person."""

from starlette.responses import Response

from webex_oauth.web.views import DisconnectedPage, DisconnectPage
from webex_oauth.web.visit import Visit


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
