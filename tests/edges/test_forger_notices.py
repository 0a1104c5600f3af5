"""A new unsafe route that forgets its check is found without anyone naming it."""

from collections.abc import Iterator

import pytest
from edges.client import Client, signed_in
from edges.forgery import FORGERY_COUNT, accepted, forgeries
from scene import Scene
from starlette.responses import PlainTextResponse, Response

from webex_oauth.web.visit import Visit


async def take_anything(_: Visit) -> Response:
    return PlainTextResponse("done")


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Scene(tmp_path_factory.mktemp("careless")) as scene:
        scene.pages["/careless"] = {"DELETE": take_anything}
        yield signed_in(scene)


@pytest.mark.parametrize("number", range(FORGERY_COUNT))
def test_a_careless_route(number: int, victim: Client) -> None:
    forgery = list(forgeries(victim, "other", "before"))[number]

    assert accepted(victim, forgery) == [f"DELETE /careless took {forgery.name}"]
