"""`GET /static/...`: the style sheets, the script and the icon, named by their content."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from webex_oauth.web.assets import CACHE_CONTROL
from webex_oauth.web.visit import Visit


async def send_static_file(visit: Visit) -> Response:
    """Send a packaged file, which browsers may keep for ever."""
    asset = visit.site.assets.find(visit.request.scope["path"])
    if asset is None:
        raise HTTPException(404)
    headers = {"cache-control": CACHE_CONTROL, "vary": "accept-encoding"}
    return Response(asset.content, media_type=asset.media_type, headers=headers)
