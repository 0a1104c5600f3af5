"""A store that is down: 503 for those who need it, never a stranger's page, never a 500."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from canary import Canaries
from failing_rows import FailingRows, Which, after, everything, nothing, reading, writing
from journeys.acts import has_grant, is_signed_in, offered_return_to, shown_title, token_requests
from scene import JONAS, Browser, Scene

from webex_oauth.errors import KeyUnavailable, StoreConflict, StoreUnavailable
from webex_oauth.vault.rows import Kind

UNAVAILABLE = "We cannot look up your sign-in right now"
VARIABLES = {"WEBEX_IDLE_SECONDS": "7776000", "WEBEX_ABSOLUTE_SECONDS": "7776000"}
SIGN_IN = (Kind.STATE, Kind.SESSION, Kind.GRANT)
CALLS: dict[str, Which] = {
    "take a state": writing(Kind.STATE),
    "read a grant": reading(Kind.GRANT),
    "read a session": reading(Kind.SESSION),
    "list sessions": lambda method, _: method == "of_group",
    "complete a sign-in": lambda method, kinds: method == "apply" and set(SIGN_IN) <= set(kinds),
    "touch or end a session": writing(Kind.SESSION),
    "end a grant": writing(Kind.SESSION, Kind.GRANT, Kind.REVOCATION),
    "check": lambda method, _: method == "check",
}
PAGES = ("/", "/index.html", "/listrooms", "/logout")


@pytest.fixture(scope="module")
def store() -> FailingRows:
    return FailingRows()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, store: FailingRows) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with Scene(folder, rows=store, variables=VARIABLES) as scene:
        yield scene


@pytest.fixture(autouse=True)
def whole_again(store: FailingRows) -> Iterator[None]:
    yield
    store.fails, store.error = nothing, StoreUnavailable("the disk is gone")


def check_unavailable(answer: requests.Response) -> None:
    assert (answer.status_code, shown_title(answer)) == (503, UNAVAILABLE)
    assert "Sign in with Webex" not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", PAGES)
def test_a_signed_in_person_is_not_taken_for_a_stranger(
    scene: Scene, store: FailingRows, path: str
) -> None:
    browser = scene.signed_in()
    store.fails = everything

    check_unavailable(browser.get(path))

    store.fails = nothing
    assert is_signed_in(browser)


def test_a_stranger_sees_the_home_page_and_can_begin(scene: Scene, store: FailingRows) -> None:
    store.fails = everything
    browser = scene.browser()

    assert browser.get("/").status_code == 200
    url = browser.consent(browser.start("/listrooms"))
    check_unavailable(browser.follow(url))


def test_a_callback_that_finds_no_store_can_be_reloaded(scene: Scene, store: FailingRows) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start("/listrooms"))
    store.fails = everything

    check_unavailable(browser.follow(url))

    store.fails = nothing
    assert browser.follow(url).headers["location"] == "/listrooms"


@pytest.mark.parametrize(
    "which", [reading(Kind.GRANT), writing(*SIGN_IN)], ids=["find the grant", "keep the sign-in"]
)
@pytest.mark.parametrize("error", [StoreUnavailable("gone"), StoreConflict("moved")], ids=repr)
def test_tokens_that_cannot_be_kept_are_given_back(
    scene: Scene, store: FailingRows, which: Which, error: Exception
) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start("/listrooms"), JONAS)
    store.fails, store.error = which, error
    exchanges_before = token_requests(scene)

    page = browser.follow(url)

    check_unavailable(page)
    assert token_requests(scene) == exchanges_before + 1
    assert not has_grant(scene, JONAS)
    store.fails = nothing
    assert not is_signed_in(browser)


def test_a_refusal_is_told_even_when_the_attempt_cannot_be_closed(
    scene: Scene, store: FailingRows
) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start("/listrooms"), decision="decline")
    store.fails = after(1, writing(Kind.STATE))

    page = browser.follow(url)

    assert (page.status_code, shown_title(page)) == (403, "You declined")
    assert offered_return_to(page) == "/listrooms"


def test_a_sign_out_that_cannot_be_kept_is_not_claimed(scene: Scene, store: FailingRows) -> None:
    browser = scene.signed_in(JONAS)
    csrf_token = browser.csrf_token()
    store.fails = writing(Kind.SESSION, Kind.GRANT, Kind.REVOCATION)

    check_unavailable(browser.post("/logout", {"csrf_token": csrf_token}))

    assert scene.emulator.journal.count("POST", "*/revoke") == 0
    store.fails = nothing
    assert browser.sign_out().status_code == 200


def test_a_refresh_that_cannot_be_kept_serves_all_the_same(
    scene: Scene, store: FailingRows
) -> None:
    browser = scene.signed_in()
    scene.emulator.clock.advance(1_209_599)
    scene.emulator.journal.clear()
    store.fails = after(1, writing(Kind.GRANT))

    assert [browser.get("/listrooms").status_code for _ in range(3)] == [200] * 3

    store.fails = nothing
    assert browser.get("/listrooms").status_code == 200
    assert token_requests(scene) == 1


@pytest.mark.check("H09")
def test_health_needs_no_store_and_readiness_does(scene: Scene, store: FailingRows) -> None:
    store.fails = everything
    browser = scene.browser()

    alive, ready = browser.get("/healthz"), browser.get("/readyz")

    assert (alive.status_code, alive.text) == (200, "alive\n")
    assert (ready.status_code, ready.text) == (503, "not ready\n")


@pytest.mark.check("E02")
@pytest.mark.parametrize("call", CALLS)
def test_a_mistake_inside_shows_a_page_and_tells_no_secret(tmp_path: Path, call: str) -> None:
    canaries, store = Canaries(), FailingRows()
    with Scene(tmp_path, rows=store, canaries=canaries) as scene:
        signed_in, leaver = scene.signed_in(), scene.signed_in(JONAS)
        scene.emulator.clock.advance(120)
        leaving = {"csrf_token": leaver.csrf_token()}
        store.fails, store.error = CALLS[call], RuntimeError("a mistake")

        answers = [*walk(scene, signed_in), leaver.post("/disconnect", leaving)]
        statuses = {answer.status_code for answer in answers}

    assert 500 in statuses
    assert canaries.leaks() == []


def walk(scene: Scene, signed_in: Browser) -> list[requests.Response]:
    """Use every page, as far as one comes."""
    browser = scene.browser()
    answers = [signed_in.get(path) for path in (*PAGES, "/sessions", "/readyz")]
    started = browser.post("/login", {"return_to": "/"})
    answers.append(started)
    if started.status_code == 303:
        for decision in ("decline", "accept"):
            url = browser.consent(browser.start(), decision=decision)
            answers.append(browser.follow(url))
    answers.append(signed_in.sign_out())
    return answers


@pytest.mark.check("F04")
def test_with_another_key_the_application_does_not_start(tmp_path: Path) -> None:
    with Scene(tmp_path) as scene:
        scene.signed_in()
    other_key = {"WEBEX_KEYS_FILE": str(tmp_path / "other" / "keys")}

    with pytest.raises(RuntimeError) as stopped, Scene(tmp_path, variables=other_key):
        pass

    assert isinstance(stopped.value.__cause__, KeyUnavailable)
