"""Failures: a page for people, problem+json for programs, and nothing of the inside for anybody."""

import json
import re
from collections.abc import Iterator

import pytest
from edges.client import FORM, Answer, Client
from edges.stage import Stage

from webex_oauth.errors import StoreUnavailable
from webex_oauth.flows.failures import PROBLEM_JSON

HTML = "text/html; charset=utf-8"
REFERENCE = re.compile(r"\b[0-9a-f]{10}\b")
INSIDES = ("Traceback", "Error(", "webex_oauth", ".py", "site-packages", "sqlite", "exploded")
ACCEPTS = {
    "": HTML,
    "*/*": HTML,
    "text/html": HTML,
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": HTML,
    "application/json, text/html;q=0.5": HTML,
    "text/plain": HTML,
    "image/avif,image/webp,*/*;q=0.8": HTML,
    "application/json": PROBLEM_JSON,
    "application/problem+json": PROBLEM_JSON,
    "application/json, */*;q=0.1": PROBLEM_JSON,
    "application/vnd.example+json": PROBLEM_JSON,
    "APPLICATION/JSON": PROBLEM_JSON,
    "{{7*7}}, %(x)s, ;q=": HTML,
}


def failures(client: Client, accept: str) -> Iterator[tuple[int, Answer]]:
    """Return the status that is expected, and the answer."""
    headers = {"accept": accept}
    yield 404, client.send("GET", "/nothing", headers=headers)
    yield 405, client.send("DELETE", "/", headers=headers)
    yield 401, client.send("GET", "/listrooms", headers=headers)
    yield 400, client.send("GET", "/oauth", headers=headers)
    yield 403, client.send("POST", "/login", headers=headers | {"origin": "https://evil.example"})
    yield 413, client.send("POST", "/login", b"a" * 70_000, headers | {"content-type": FORM})
    yield 414, client.send("GET", "/?" + "a" * 9000, headers=headers)
    yield 421, client.send("GET", "/", headers=headers | {"host": "elsewhere.example"})
    yield 431, client.send("GET", "/", headers=headers | {"x-filler": "a" * 17_000})


@pytest.mark.check("E06")
@pytest.mark.parametrize(("accept", "media_type"), ACCEPTS.items())
def test_a_failure_comes_as_its_reader_wants_it(accept: str, media_type: str, stage: Stage) -> None:
    answer = stage.client().send("GET", "/nothing", headers={"accept": accept})

    assert answer.one("content-type") == media_type
    assert answer.status == 404


@pytest.mark.check("E06")
def test_a_program_gets_the_members_of_a_problem(stage: Stage) -> None:
    for status, answer in failures(stage.client(), "application/json"):
        problem = json.loads(answer.body)

        assert answer.status == problem["status"] == status
        assert problem.keys() == {"type", "title", "status", "detail", "instance"}
        assert REFERENCE.search(problem["instance"])


@pytest.mark.check("E06")
def test_every_failure_has_a_reference_of_its_own(stage: Stage) -> None:
    pages = [stage.client().get("/nothing").text for _ in range(3)]

    assert len({REFERENCE.findall(page)[-1] for page in pages}) == 3


@pytest.mark.check("E06", "D11", "D14")
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_unforeseen_failure_tells_nothing_of_the_inside(accept: str, stage: Stage) -> None:
    broken = []
    with stage.failing_store(RuntimeError("exploded")):
        for path in stage.scene.pages:
            answer = stage.signed_in.send("GET", path, headers={"accept": accept})
            broken += [path] * (answer.status == 500)
            assert [inside for inside in INSIDES if inside in answer.text] == []
            assert answer.one("content-security-policy")

    assert {"/", "/index.html", "/listrooms", "/logout"} <= set(broken)


@pytest.mark.check("E06")
def test_a_session_that_cannot_be_opened_is_a_page_and_not_a_crash(stage: Stage) -> None:
    with stage.failing_store(StoreUnavailable("down")):
        answer = stage.signed_in.get("/nothing")

    assert answer.status == 404
    assert "Mira" not in answer.text
