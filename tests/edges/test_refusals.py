"""Refusals: each is one event of the log, and its page shows the reference of that event."""

import asyncio
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from edges.client import FORM, Answer, Client
from edges.stage import Stage, open_stage
from failing_pages import REASON, failing_pages, path_of
from logged import fields
from waiting import LIMIT_SECONDS, until

from webex_oauth.emulator import Answer as WebexAnswer
from webex_oauth.errors import StoreUnavailable
from webex_oauth.flows.failures import FAILURES, Failure
from webex_oauth.flows.refusal_log import MAX_EVENTS, RefusalLog

pytestmark = pytest.mark.check("E05", "E06")

REFERENCE = re.compile(r"\b[0-9a-f]{10}\b")
PEER = "192.0.2.7"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Serve apart: what other tests are refused in the same second counts too."""
    with open_stage(tmp_path_factory.mktemp("refusals")) as stage:
        yield stage


def events_of(caplog: pytest.LogCaptureFixture, reference: str) -> list[logging.LogRecord]:
    """Return the events that carry *reference*."""
    return [one for one in caplog.records if fields(one).get("reference") == reference]


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=lambda failure: failure.name)
def test_the_reference_of_every_failure_is_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture, failure: Failure, accept: str
) -> None:
    with failing_pages(stage.scene):
        answer = stage.client().get(path_of(failure), accept=accept)

    assert answer.status == failure.status
    reference = REFERENCE.findall(answer.text)[-1]
    (event,) = events_of(caplog, reference)
    assert event.levelno == logging.WARNING
    told = f"request refused ({failure.name}): {REASON}; from 127.0.0.1; reference {reference}"
    assert event.getMessage() == told
    assert fields(event)["reason"] == REASON
    assert fields(event)["failure"] == failure.name
    assert fields(event)["peer"] == "127.0.0.1"


Refuse = Callable[[Stage], Answer]
"""Send what is refused."""


def forged(**headers: str) -> Refuse:
    return lambda stage: stage.signed_in.post("/logout", {"csrf_token": "invented"}, **headers)


def callback_in_another_browser(stage: Stage) -> Answer:
    state = stage.client().start().partition("state=")[2].partition("&")[0]
    return stage.client().get(f"/oauth?code=c&state={state}")


def without_a_store(stage: Stage) -> Answer:
    with stage.failing_store(StoreUnavailable("the disk is gone")):
        return stage.signed_in.get("/")


def without_foresight(stage: Stage) -> Answer:
    with stage.failing_store(RuntimeError("exploded")):
        return stage.signed_in.get("/")


def without_a_scope(stage: Stage) -> Answer:
    stage.scene.emulator.change_options(granted_scopes=("spark:people_read",))
    client = Client(stage.scene)
    try:
        client.sign_in("amara@acme.example")
        return client.get("/listrooms")
    finally:
        stage.scene.emulator.change_options(granted_scopes=None)


def throttled(stage: Stage) -> Answer:
    limit = WebexAnswer(status=429, headers={"Retry-After": "90"})
    stage.scene.emulator.faults.add("GET", "/v1/rooms", limit, times=1)
    return stage.signed_in.get("/listrooms")


def with_session(cookie: str, path: str) -> Refuse:
    return lambda stage: stage.client().get(path, cookie=f"{stage.scene.session_cookie}={cookie}")


REFUSALS: dict[str, tuple[int, str, Refuse]] = {
    "no such page": (404, "Not Found", lambda stage: stage.signed_in.get("/admin.php")),
    "no such method": (405, "Method Not Allowed", lambda stage: stage.client().send("PUT", "/")),
    "a huge address": (414, "9001 bytes", lambda stage: stage.client().get("/?" + "a" * 9000)),
    "huge headers": (431, "bytes", lambda stage: stage.client().get("/", x_filler="a" * 17_000)),
    "a huge form": (
        413,
        "larger than",
        lambda stage: stage.client().send("POST", "/login", b"a" * 70_000, {"content-type": FORM}),
    ),
    "no form": (
        415,
        "application/json",
        lambda stage: stage.client().post("/login", {}, content_type="application/json"),
    ),
    "another host": (
        421,
        "elsewhere.example",
        lambda stage: stage.client().get("/", host="elsewhere.example"),
    ),
    "a forged form": (403, "token", forged()),
    "a form of another site": (403, "https://evil.example", forged(origin="https://evil.example")),
    "a sign-in of another site": (
        403,
        "cross-site",
        lambda stage: stage.client().post("/login", {}, sec_fetch_site="cross-site"),
    ),
    "a stranger": (401, "no session cookie", lambda stage: stage.client().get("/listrooms")),
    "a session that was guessed": (401, "unknown", with_session("guess", "/listrooms")),
    "a callback that contradicts itself": (
        400,
        "callback",
        lambda stage: stage.client().get("/oauth?code=c&code=d&state=x"),
    ),
    "a callback in another browser": (400, "no cookie of", callback_in_another_browser),
    "a permission that is missing": (403, "spark:rooms_read", without_a_scope),
    "a rate limit": (429, "90 s", throttled),
    "a store that is down": (503, "the disk is gone", without_a_store),
    "what nobody foresaw": (500, "unforeseen failure", without_foresight),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_is_one_event_with_its_reference_its_peer_and_its_reason(
    stage: Stage, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    status, reason, refuse = REFUSALS[what]

    answer = refuse(stage)

    assert answer.status == status
    (event,) = events_of(caplog, REFERENCE.findall(answer.text)[-1])
    assert reason in str(fields(event)["reason"])
    assert fields(event)["peer"] == "127.0.0.1"
    assert fields(event)["method"] in {"GET", "POST", "PUT"}


def test_a_session_that_was_guessed_is_an_event_where_no_page_refuses(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    assert with_session("guess", "/")(stage).status == 200

    (event,) = [one for one in caplog.records if fields(one).get("failure") == "session-unknown"]
    assert "unknown" in str(fields(event)["reason"])
    assert "guess" not in json.dumps(fields(event), default=repr)
    assert fields(event)["peer"] == "127.0.0.1"


def test_what_a_stranger_names_is_written_on_one_line_and_cut(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.client().get("/%1b%5b2J%0d%0a" + "a" * 5_000)
    stage.client().get("/", host="\x9b2J" + "b" * 5_000)

    events = [one for one in caplog.records if one.getMessage().startswith("request refused")]
    told = [f"{fields(one)['reason']} {fields(one)['path']}" for one in events]
    assert len(told) == 2
    assert [one for one in told if not one.isprintable() or len(one) > 600] == []


class Count(logging.Handler):
    """Keep the events of the kinds that one test refuses, and tell when one counts others."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[logging.LogRecord] = []
        self.is_counted = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if str(fields(record)["failure"]).startswith("flood-"):
            self.events.append(record)
            if "count" in fields(record):
                self.is_counted.set()


@pytest.mark.bound("refusals in the log")
def test_a_flood_of_one_kind_is_counted_and_hides_no_other_kind() -> None:
    refusals, count = RefusalLog(), Count()
    log = logging.getLogger("webex_oauth.flows.refusal_log")
    log.addHandler(count)
    try:
        with ThreadPoolExecutor(4) as threads:
            for _ in range(MAX_EVENTS + 500):
                threads.submit(refusals.note, "flood-a", "no such page", peer=PEER)
        refusals.note("flood-b", "another host", peer=PEER)
        assert count.is_counted.wait(LIMIT_SECONDS)
        refusals.note("flood-a", "no such page", peer=PEER)
    finally:
        log.removeHandler(count)

    kinds = [fields(one)["failure"] for one in count.events]
    assert kinds == ["flood-a"] * MAX_EVENTS + ["flood-b", "flood-a", "flood-a"]
    assert fields(count.events[-2])["count"] == 500
    assert "count" not in fields(count.events[-1])


async def refuse(refusals: RefusalLog) -> None:
    """Refuse one request more than are logged in a second."""
    for _ in range(MAX_EVENTS + 1):
        refusals.note("flood-c", "no such page", peer=PEER)


def test_a_loop_that_ends_within_the_second_silences_no_kind() -> None:
    refusals, count = RefusalLog(), Count()
    log = logging.getLogger("webex_oauth.flows.refusal_log")
    log.addHandler(count)

    def is_counted() -> bool:
        refusals.note("flood-c", "no such page", peer=PEER)
        return count.is_counted.is_set()

    try:
        asyncio.run(refuse(refusals))
        until(is_counted)
    finally:
        log.removeHandler(count)

    assert "count" not in fields(count.events[-1])
