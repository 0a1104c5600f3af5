"""`GET /login` and `POST /login`: begin a sign-in."""

from starlette.responses import Response

from webex_oauth.flows.return_to import ReturnTo
from webex_oauth.web.fetch_metadata import is_from_elsewhere, is_navigation, is_prefetch
from webex_oauth.web.views import ConfirmSignInPage
from webex_oauth.web.visit import Visit, redirect


async def begin_sign_in(visit: Visit) -> Response:
    """Begin a sign-in from the button.

    It needs no token. It changes nothing of this browser's session, and its callback is bound to
    this browser: it can only sign in the person who agrees at Webex here.
    """
    visit.check_origin()
    form = await visit.form()
    return await _begin(visit, visit.return_to(form.get("return_to")))


async def begin_sign_in_by_link(visit: Visit) -> Response:
    """Begin a sign-in from a plain link, unless the browser or another site followed it."""
    if is_prefetch(visit.headers) or not is_navigation(visit.headers):
        return Response(status_code=204)
    return_to = visit.return_to(visit.query_field("return_to"))
    if visit.request.method == "HEAD":
        return Response(status_code=204)
    if is_from_elsewhere(visit.headers, visit.site.public_origin):
        await visit.session()
        return visit.show(ConfirmSignInPage(visit.frame(), return_to.path))
    return await _begin(visit, return_to)


async def _begin(visit: Visit, return_to: ReturnTo) -> Response:
    integration = visit.site.integration
    started = await integration.sign_in.begin(return_to)
    response = redirect(started.authorization_url)
    visit.site.cookies.keep_attempt(
        response,
        visit.cookies,
        started.attempt_id,
        started.browser_secret,
        integration.context.clock(),
    )
    return response
