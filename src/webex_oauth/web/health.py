"""`GET /healthz`: alive. `GET /readyz`: able to serve. Neither tells strangers why."""

from starlette.responses import PlainTextResponse, Response

from webex_oauth.web.visit import Visit


async def show_health(visit: Visit) -> Response:  # noqa: ARG001 - a handler takes a visit
    """Answer without asking anything else."""
    return PlainTextResponse("alive\n")


async def show_readiness(visit: Visit) -> Response:
    """Answer whether the store takes writes and every key it needs is here; remembered a second."""
    if await visit.site.readiness.is_ready():
        return PlainTextResponse("ready\n")
    return PlainTextResponse("not ready\n", 503)
