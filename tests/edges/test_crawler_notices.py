"""The crawler and the forger can fail: each finds a page that breaks its rules."""

from collections.abc import Iterator

import pytest
from edges.client import Client, signed_in
from edges.crawler import METHODS, RULES, Exchange, crawl, violations
from edges.forgery import FORGERY_COUNT, accepted, forgeries
from scene import Scene
from starlette.responses import PlainTextResponse, Response

from webex_oauth.web.visit import Visit


async def spoil(visit: Visit) -> Response:
    status = 500 if visit.request.method == "GET" else 200
    response = PlainTextResponse("bad", status)
    response.set_cookie("bad", "x" * 5000)
    response.headers["content-security-policy"] = "default-src *"
    response.headers["strict-transport-security"] = "max-age=60"
    response.headers["referrer-policy"] = "unsafe-url"
    response.headers["cache-control"] = "public"
    response.headers["access-control-allow-origin"] = "*"
    response.headers["server"] = "bad/1.0"
    return response


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("spoilt"), public_uri="https://bad.example/oauth") as scene:
        scene.pages["/bad"] = dict.fromkeys(METHODS, spoil)
        yield scene


@pytest.mark.parametrize("id_", RULES)
def test_a_new_route_that_breaks_the_rule(id_: str, spoilt: Scene) -> None:
    found = violations(crawl({True: signed_in(spoilt)}), RULES[id_], spoilt)

    assert found
    assert all(" /bad " in violation for violation in found)


def test_an_answer_that_sets_a_cookie_which_shared_caches_would_keep(spoilt: Scene) -> None:
    answer = Client(spoilt).get("/bad")
    asset = Exchange("GET", "/static/x", is_signed_in=False, answer=answer)

    assert list(RULES["D14"](asset, spoilt))


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
