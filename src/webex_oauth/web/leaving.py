"""What a browser is told when its person leaves.

Not "cookies": browsers take it for the whole registrable domain, and would sign the person out of
every other application below it. Our own cookies are expired one by one.
"""

from starlette.responses import Response

from webex_oauth.web.visit import Visit

CLEARED = '"cache", "storage"'


def let_go(visit: Visit, response: Response) -> Response:
    """Clear what the browser kept of the person."""
    visit.site.cookies.drop_all(response, visit.cookies)
    response.headers["clear-site-data"] = CLEARED
    return response
