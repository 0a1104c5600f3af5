"""Pages that fail in every way that there is, added to a running application."""

from collections.abc import Iterator
from contextlib import contextmanager

from failures_told import EVERY_FAILURE
from scene import Scene
from starlette.responses import Response
from starlette.routing import Route, Router

from webex_oauth.web.application import PageEndpoint
from webex_oauth.web.failures import Failure, Refused
from webex_oauth.web.visit import Visit

REASON = "this page always fails"
FAILURE_BY_NAME = {failure.name: failure for failure in EVERY_FAILURE}


@contextmanager
def failing_pages(scene: Scene) -> Iterator[None]:
    """Let each page at `path_of` a failure end in it."""
    router = scene.application._app
    assert isinstance(router, Router)
    (first, *_) = router.routes
    assert isinstance(first, Route)
    assert isinstance(first.app, PageEndpoint)
    failing = Route("/failing/{name}", PageEndpoint(first.app._site, {"GET": _fail}))
    router.routes.append(failing)
    try:
        yield
    finally:
        router.routes.remove(failing)


def path_of(failure: Failure) -> str:
    """Return the path of the page that ends in *failure*."""
    return f"/failing/{failure.name}"


async def _fail(visit: Visit) -> Response:
    raise Refused(FAILURE_BY_NAME[visit.request.path_params["name"]], REASON)
