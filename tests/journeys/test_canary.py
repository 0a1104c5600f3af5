"""The canary engine can fail: every way to leak that it claims to see is leaked here once."""

import base64
import logging
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from canary import Canaries
from canary_watch import look_at_answer, look_at_error, look_at_folder, watched_log
from scene import Scene

from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits, Transport
from webex_oauth.secret import Secret
from webex_oauth.web.visit import csrf_token

pytestmark = pytest.mark.check("E01")

SECRET = "nB7q: %+/ zé-Xw2kLmP0-and-more-that-need-not-appear"
SESSION_ID = "T0pSecretSessionIdentifier-0123456789abcdef"
LEAKING_TEST = """\
from canary import RUN

def test_that_leaks():
    RUN.plant("client_secret", "a-secret-of-this-run")
    print("debug: a-secret-of-")
"""
QUIET_TEST = """\
def test_that_leaks_nothing(): ...
"""


@pytest.fixture
def canaries() -> Canaries:
    canaries = Canaries()
    canaries.plant("planted", SECRET)
    return canaries


@pytest.mark.parametrize(
    "leaked",
    [
        SECRET,
        SECRET[:12],
        f"before{SECRET}after",
        quote(SECRET),
        quote(SECRET, safe=""),
        ascii(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        SECRET.encode("latin-1"),
        base64.b64encode(SECRET.encode()),
        base64.b64encode(b"x" + SECRET.encode()),
        base64.urlsafe_b64encode(b"xy" + SECRET.encode()),
    ],
)
def test_a_secret_is_found_however_it_is_written(canaries: Canaries, leaked: str | bytes) -> None:
    canaries.look_at("a place", leaked)

    assert {leak.place for leak in canaries.leaks()} == {"a place"}


def test_what_was_seen_before_the_secret_was_known_counts_too() -> None:
    canaries = Canaries()

    canaries.look_at("a place", f"early: {SECRET}")
    canaries.plant("planted", SECRET)

    assert [leak.kind for leak in canaries.leaks()] == ["planted"]


def test_eleven_characters_of_a_secret_and_other_text_are_no_leak(canaries: Canaries) -> None:
    canaries.look_at("a place", f"{SECRET[:11]}?")
    canaries.look_at("a place", SECRET[1:])

    assert canaries.leaks() == []


def test_a_leak_does_not_repeat_the_secret(canaries: Canaries) -> None:
    canaries.look_at("a place", SECRET)

    assert SECRET[:12] not in repr(canaries.leaks())


def test_a_secret_too_short_to_be_found_is_refused(canaries: Canaries) -> None:
    with pytest.raises(ValueError, match="too short"):
        canaries.plant("pin", "1234")


def test_a_log_record_leaks_by_message_field_and_traceback(canaries: Canaries) -> None:
    log = logging.getLogger("webex_oauth.somewhere")
    with watched_log(canaries):
        log.debug("got %s", SECRET)
        log.debug("got it", extra={"it": SECRET})
        log.error("did not get it", exc_info=ValueError(SECRET))

    places = [leak.place for leak in canaries.leaks() if leak.form in {"raw", "escaped"}]

    assert places.count("log webex_oauth.somewhere") >= 1
    assert "log webex_oauth.somewhere traceback" in places


def test_an_error_leaks_by_the_locals_of_its_frames(canaries: Canaries) -> None:
    def refuse(token: str) -> None:
        raise ValueError(f"a token of {len(token)} characters")

    with pytest.raises(ValueError, match="a token") as raised:
        refuse(SECRET)
    look_at_error(canaries, raised.value)

    assert {leak.place for leak in canaries.leaks()} == {"error ValueError: locals"}


def test_a_file_leaks_wherever_the_secret_stands(canaries: Canaries, tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "vault.sqlite-wal").write_bytes(bytes(4096) + SECRET.encode() + bytes(4096))

    look_at_folder(canaries, tmp_path)

    assert {leak.place for leak in canaries.leaks()} == {"file vault.sqlite-wal"}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("location", f"/?session={SESSION_ID}"),
        ("location", f"https://webexapis.com/v1/authorize?scope={SESSION_ID}&state=x"),
        ("x-debug", SESSION_ID),
    ],
)
def test_a_header_leaks(header: str, value: str) -> None:
    canaries = Canaries()
    canaries.plant("session id", SESSION_ID)

    look_at_answer(canaries, "GET /", {header: value}, [], "", None)

    assert {leak.place for leak in canaries.leaks()} == {f"GET /: {header}"}


def test_a_session_id_may_stand_in_its_cookie_and_in_no_other() -> None:
    canaries = Canaries()
    canaries.plant("session id", SESSION_ID)

    ours = f"webex_oauth_session={SESSION_ID}; Path=/"
    look_at_answer(canaries, "GET /", {}, [ours, f"theme={SESSION_ID}; Path=/"], "", None)

    assert {leak.place for leak in canaries.leaks()} == {"GET /: cookie theme"}


def test_a_csrf_token_may_stand_in_the_forms_of_its_own_session_only() -> None:
    canaries = Canaries()
    token = csrf_token(Secret(SESSION_ID)).reveal()
    form = f'<input type="hidden" name="csrf_token" value="{token}">'

    look_at_answer(canaries, "own form", {}, [], form, SESSION_ID)
    look_at_answer(canaries, "own link", {}, [], f'<a href="/x?t={token}">', SESSION_ID)
    look_at_answer(canaries, "form of another", {}, [], form, "another session id than that")

    assert {leak.place for leak in canaries.leaks()} == {
        "own link: page",
        "form of another: page",
    }


class CarelessTransport:
    """Log what is sent, as a careless client does."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        logging.getLogger("careless").debug("> %s", request.body)
        return await self._inner.send(request, limits)


def test_a_careless_client_inside_the_running_application_is_found(tmp_path: Path) -> None:
    canaries = Canaries()

    with Scene(tmp_path, canaries=canaries, around_transport=CarelessTransport) as scene:
        scene.signed_in()

    found = {leak.kind for leak in canaries.leaks() if leak.place == "log careless"}
    # The verifier is known by the randomness that it was made of.
    assert found == {"client_secret", "code", "random secret"}


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_with_a_leak_fails(workers: int, tmp_path: Path) -> None:
    tests = Path(__file__).parent.parent
    (tmp_path / "test_leak.py").write_text(LEAKING_TEST)
    (tmp_path / "test_other.py").write_text(QUIET_TEST)
    (tmp_path / "conftest.py").write_text((tests / "conftest.py").read_text())

    run = subprocess.run(
        [sys.executable, "-m", "pytest", f"-n{workers}", "--rootdir", tmp_path, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tests)},
        timeout=50,
    )

    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    assert "2 passed" in run.stdout
    assert run.stdout.count("LEAK: client_secret (raw) in standard output") == 1
