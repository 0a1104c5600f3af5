"""Every route, every method, signed out and signed in: what all answers must have."""

import pytest
from edges.crawler import METHODS, RULES, Exchange, crawl, violations
from edges.stage import Stage

ID_MARKS = [pytest.param(id_, marks=pytest.mark.check(id_), id=id_) for id_ in RULES]


def walk(stage: Stage) -> list[Exchange]:
    return crawl({False: stage.client(), True: stage.signed_in})


@pytest.fixture(scope="module")
def exchanges(stage: Stage) -> list[Exchange]:
    return walk(stage)


@pytest.fixture(scope="module")
def public_exchanges(public_stage: Stage) -> list[Exchange]:
    return walk(public_stage)


@pytest.mark.parametrize("id_", ID_MARKS)
def test_every_answer_on_localhost_keeps_the_rule(
    id_: str, exchanges: list[Exchange], stage: Stage
) -> None:
    assert violations(exchanges, RULES[id_], stage.scene) == []


@pytest.mark.parametrize("id_", ID_MARKS)
def test_every_answer_behind_tls_keeps_the_rule(
    id_: str, public_exchanges: list[Exchange], public_stage: Stage
) -> None:
    assert violations(public_exchanges, RULES[id_], public_stage.scene) == []


def test_the_crawl_meets_every_route_and_every_status(
    exchanges: list[Exchange], stage: Stage
) -> None:
    met = {(one.method, one.target) for one in exchanges}
    plain_paths = [path for path in stage.scene.pages if "{" not in path]

    assert {(method, path) for method in METHODS for path in plain_paths} <= met
    assert {200, 204, 303, 400, 401, 403, 404, 405, 413, 414, 421, 431} <= {
        one.answer.status for one in exchanges
    }


@pytest.mark.check("D20")
def test_head_is_answered_as_get_is_without_the_body(stage: Stage) -> None:
    for path in ("/", "/index.html", "/listrooms", "/logout", "/healthz", "/readyz"):
        get, head = (stage.signed_in.send(method, path) for method in ("GET", "HEAD"))

        assert head.status == get.status, path
        assert head.body == b"", path
        assert names(head.headers) == names(get.headers), path


def names(headers: tuple[tuple[str, str], ...]) -> set[str]:
    return {name for name, _ in headers} - {"transfer-encoding", "content-length"}


@pytest.mark.check("D13", "D20")
@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/metrics", "/debug", "/.env"]
)
def test_no_page_is_served_that_the_application_does_not_list(path: str, stage: Stage) -> None:
    assert stage.client().get(path).status == 404
