"""`GET /logout` asks, `POST /logout` signs out."""

from starlette.responses import Response

from webex_oauth.web.views import SignedOutPage, SignOutPage
from webex_oauth.web.visit import Visit, redirect


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
