"""What a browser is told when its person leaves."""

from starlette.responses import Response

from webex_oauth.web.visit import Visit

CLEARED = '"cache", "cookies", "storage"'


def let_go(visit: Visit, response: Response) -> Response:
    """Clear what the browser kept of the person."""
    visit.site.cookies.drop_all(response, visit.cookies)
    response.headers["clear-site-data"] = CLEARED
    return response
