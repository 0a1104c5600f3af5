"""Pages that fail in every way that there is, added to a running application."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from scene import Scene
from starlette.responses import Response

from webex_oauth.flows.failures import FAILURES, Failure
from webex_oauth.web.refusals import Refused
from webex_oauth.web.visit import Visit

REASON = "this page always fails"


@contextmanager
def failing_pages(scene: Scene) -> Iterator[None]:
    """Add a page for each failure, at `path_of` it, that ends in it."""
    failing = {path_of(one): {"GET": partial(_fail, one.name)} for one in FAILURES.values()}
    scene.pages.update(failing)
    try:
        yield
    finally:
        for path in failing:
            del scene.pages[path]


def path_of(failure: Failure) -> str:
    """Return the path of the page that ends in *failure*."""
    return f"/failing/{failure.name}"


async def _fail(name: str, visit: Visit) -> Response:  # noqa: ARG001 - a handler takes a visit
    raise Refused(name, REASON)
