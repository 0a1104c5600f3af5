"""Browsers in words: the usual ones by name, the rest by as much as can be told, never raw."""

import re

import pytest
from hypothesis import given, strategies as st

from webex_oauth.web.sign_in import BROWSERS, SYSTEMS, browser_label

MOZILLA = "Mozilla/5.0"
APPLE = "AppleWebKit/537.36 (KHTML, like Gecko)"
WORDS = {name for _, name in (*BROWSERS, *SYSTEMS)} | {"A browser", "on", None}


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (
            f"{MOZILLA} (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
            "Firefox on Linux",
        ),
        (
            f"{MOZILLA} (Windows NT 10.0; Win64) {APPLE} Chrome/156.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            f"{MOZILLA} (Windows NT 10.0) {APPLE} Chrome/156.0 Safari/537.36 Edg/156.0",
            "Edge on Windows",
        ),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X) {APPLE} Version/20 Safari/605", "Safari on macOS"),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 20 like Mac OS X) CriOS/156 Safari",
            "Chrome on iPhone",
        ),
        (f"{MOZILLA} (iPad; CPU OS 20 like Mac OS X) FxiOS/150.0 Safari/605", "Firefox on iPad"),
        (f"{MOZILLA} (Linux; Android 17) {APPLE} Chrome/156.0 Safari/537.36", "Chrome on Android"),
        (f"{MOZILLA} (X11; CrOS x86_64) {APPLE} Chrome/156.0 Safari/537.36", "Chrome on ChromeOS"),
        (f"{MOZILLA} (X11; Linux) {APPLE} Chrome/156.0 Safari/537.36 OPR/120", "Opera on Linux"),
        (f"{MOZILLA} (X11; Linux x86_64) Something/1", "A browser on Linux"),
        ("curl/8.0", "curl"),
        ("", None),
        (None, None),
        ("<script>alert(1)</script>", None),
    ],
)
def test_a_browser_is_called_what_its_person_calls_it(
    user_agent: str | None, label: str | None
) -> None:
    assert browser_label(user_agent) == label


@given(st.text() | st.text(alphabet="EdgFirefox/ChromeLinuxWindowsAndroid "))
def test_only_our_own_words_come_out(user_agent: str) -> None:
    label = browser_label(user_agent)

    assert label is None or set(re.split(r" (?=on )|(?<=on) ", label)) <= WORDS


def test_only_the_beginning_of_a_header_is_read() -> None:
    assert browser_label("x" * 10_000 + "Firefox/150.0") is None
