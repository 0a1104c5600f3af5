"""Sessions: unguessable, stored as hashes, renewed at sign-in, over in time."""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import pytest
from canary import Canaries
from journeys.acts import callback, held, is_signed_in, parameter, token_requests
from ledgers import sessions
from scene import Browser, Scene

IDLE_SECONDS = 600
ABSOLUTE_SECONDS = 3_600
PRIVATE_PAGES = ("/listrooms", "/logout")
VARIABLES = {
    "WEBEX_IDLE_SECONDS": str(IDLE_SECONDS),
    "WEBEX_ABSOLUTE_SECONDS": str(ABSOLUTE_SECONDS),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("scene"), variables=VARIABLES) as scene:
        yield scene


def bearer_of(scene: Scene, value: str) -> Browser:
    """Open a browser that presents *value* as its session."""
    browser = scene.browser()
    browser.http.cookies.set(scene.session_cookie, value, domain="localhost.local")
    return browser


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


@pytest.mark.check("D01")
def test_the_store_knows_a_session_by_its_hash_only(scene: Scene) -> None:
    session_id = scene.signed_in().session_id
    raw = base64.urlsafe_b64decode(session_id + "=")

    kept = all_bytes(scene.data_folder)

    assert len(raw) == 32
    for written in (session_id.encode(), raw, raw.hex().encode(), base64.b64encode(raw)[:-1]):
        assert written not in kept
    assert (len(kept), len(held(scene, sessions))) > (0, 0)


@pytest.mark.check("D01")
def test_no_two_sessions_share_an_id(scene: Scene) -> None:
    ids = {scene.signed_in().session_id for _ in range(10)}

    assert len(ids) == 10
    assert {len(session_id) for session_id in ids} == {43}


@pytest.mark.check("D02")
@pytest.mark.parametrize("presented", ["fixed-by-an-attacker", "a" * 43, ""])
def test_an_id_that_the_browser_brings_is_never_adopted(scene: Scene, presented: str) -> None:
    browser = bearer_of(scene, presented)

    assert browser.sign_in().status_code == 303

    assert browser.session_id != presented
    assert bearer_of(scene, presented).get("/listrooms").status_code == 401


@pytest.mark.check("D02")
def test_signing_in_again_gives_a_new_id_and_kills_the_old_one(scene: Scene) -> None:
    browser = scene.signed_in()
    old_id = browser.session_id

    browser.sign_in()

    assert browser.session_id != old_id
    assert bearer_of(scene, old_id).get("/listrooms").status_code == 401
    assert is_signed_in(browser)


@pytest.mark.check("D02")
def test_a_stale_cookie_is_taken_away(scene: Scene) -> None:
    answers = [bearer_of(scene, "stale").get(path) for path in ("/", "/listrooms")]

    for answer in answers:
        (cookie,) = answer.raw.headers.getlist("set-cookie")
        assert cookie.startswith(f"{scene.session_cookie}=; ")
        assert "Max-Age=0" in cookie


@pytest.mark.check("H13")
def test_a_session_that_is_over_by_a_wrong_clock_is_there_when_it_is_right_again(
    scene: Scene,
) -> None:
    browser = scene.signed_in()
    scene.emulator.clock.advance(400 * 86_400)
    assert browser.get("/listrooms").status_code == 401
    assert "Sign in with Webex" in browser.get("/").text

    scene.emulator.clock.advance(-400 * 86_400)

    assert is_signed_in(browser)


@pytest.mark.check("D02")
def test_a_failed_sign_in_leaves_the_session_that_was_there(scene: Scene) -> None:
    browser = scene.signed_in()
    url = browser.consent(browser.start(), decision="decline")

    assert browser.follow(url).status_code == 403

    assert is_signed_in(browser)


@pytest.mark.check("D04")
def test_an_idle_session_ends(scene: Scene) -> None:
    browser = scene.signed_in()
    scene.emulator.clock.advance(IDLE_SECONDS + 1)

    assert browser.get("/listrooms").status_code == 401


@pytest.mark.check("D04")
def test_use_keeps_a_session_alive_until_its_absolute_end(scene: Scene) -> None:
    browser = scene.signed_in()
    statuses = []

    for _ in range(9):
        scene.emulator.clock.advance(ABSOLUTE_SECONDS // 9)
        statuses.append(browser.get("/listrooms").status_code)

    assert statuses == [200] * 8 + [401]


@pytest.mark.check("D04")
def test_health_checks_do_not_keep_a_session_alive(scene: Scene) -> None:
    browser = scene.signed_in()

    for _ in range(3):
        scene.emulator.clock.advance(IDLE_SECONDS // 2)
        assert browser.get("/healthz").status_code == 200
        assert browser.get("/readyz").status_code == 200

    assert browser.get("/listrooms").status_code == 401


@pytest.mark.check("D08")
def test_nothing_else_is_accepted_as_a_session(scene: Scene) -> None:
    browser = scene.signed_in()
    started = browser.start()
    attempt = next(c.value or "" for c in browser.http.cookies if "attempt" in c.name)
    code = parameter(browser.consent(started), "code")
    others = [
        attempt,
        attempt.partition(".")[2],
        browser.csrf_token(),
        parameter(started, "state"),
        parameter(started, "code_challenge"),
        code,
        scene.settings.client.client_id,
        secrets.token_urlsafe(32),
        "x" * 4_000,
        "é".encode().decode("latin-1"),
    ]

    for value in others:
        for page in PRIVATE_PAGES:
            assert bearer_of(scene, value).get(page).status_code in {401, 303}, page


@pytest.mark.check("D08")
def test_a_session_id_is_not_accepted_as_an_attempt(scene: Scene) -> None:
    session_id = scene.signed_in().session_id
    browser, thief = scene.browser(), scene.browser()
    state = parameter(browser.start(), "state")
    (name,) = (cookie.name for cookie in browser.http.cookies)
    thief.http.cookies.set(name, f"0.{session_id}", domain="localhost.local")
    before = token_requests(scene)

    answer = thief.follow(callback(scene, code="abc", state=state))

    assert answer.status_code == 400
    assert token_requests(scene) == before


@pytest.mark.check("F05")
def test_every_file_of_the_store_and_the_key_is_the_owners_alone(tmp_path: Path) -> None:
    with Scene(tmp_path, canaries=Canaries()) as scene:
        scene.signed_in()

        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        folders = [path for path in tmp_path.rglob("*") if path.is_dir()]

        assert {path.suffix for path in files} >= {".sqlite", ".sqlite-wal", ".sqlite-shm", ""}
        assert {S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert {S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
