"""An id is one segment of the path, whatever it says."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, strategies as st

from webex_oauth.webex import people, rooms
from webex_oauth.webex.api import api_path

HOSTILE = [
    "",
    ".",
    "..",
    "...\u0000",
    "/",
    "//",
    "../people/me",
    "..\\people\\me",
    "a/b",
    "a/../b",
    "/etc/passwd",
    "//evil.example/x",
    "https://evil.example/",
    "a?max=1",
    "?",
    "a#b",
    "#",
    "a%2fb",
    "%2e%2e",
    "%2e%2e%2f",
    "%",
    "%00",
    "a;b=c",
    "a\rb",
    "a\nb",
    "a\r\nX-Evil: 1",
    "a\tb",
    "a b",
    " ",
    "a\x00b",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u202eb",
    "a\u00a0b",
    "\ud800",
    "\ufeff",
    "a" * 513,
]


@pytest.mark.parametrize("segment", HOSTILE, ids=ascii)
def test_a_segment_that_could_be_read_otherwise_is_refused(segment: str) -> None:
    for ask in (api_path, people.get, rooms.get):
        with pytest.raises(ValueError, match="path segment"):
            ask(segment)


@pytest.mark.parametrize(
    ("segment", "encoded"),
    [
        ("Y2lzY29zcGFyazovL3VzL1JPT00", "Y2lzY29zcGFyazovL3VzL1JPT00"),
        ("7d0e2b40-5f1c-11f0-9a3d-b56e8c2f4d17", "7d0e2b40-5f1c-11f0-9a3d-b56e8c2f4d17"),
        ("a+b=", "a%2Bb%3D"),
        ("...", "..."),
        ("a:b@c,d&e=f", "a%3Ab%40c%2Cd%26e%3Df"),
        ("für", "f%C3%BCr"),
        ("{0}%(x)s".replace("%", ""), "%7B0%7D%28x%29s"),
        ("a" * 512, "a" * 512),
    ],
)
def test_any_other_segment_is_encoded(segment: str, encoded: str) -> None:
    assert api_path("rooms", segment) == f"rooms/{encoded}"


@given(st.text())
def test_any_text_is_one_segment_or_refused(text: str) -> None:
    try:
        path = api_path("rooms", text)
    except ValueError:
        return

    url = urlsplit(f"https://webexapis.com/v1/{path}")
    assert [unquote(segment) for segment in url.path.split("/")] == ["", "v1", "rooms", text]
    assert (url.query, url.fragment) == ("", "")
