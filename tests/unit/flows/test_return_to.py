"""A return-to is a path of this origin, as every reader of URLs understands it."""

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, strategies as st

from webex_oauth.flows.return_to import HOME, MAX_CHARACTERS, read_return_to

pytestmark = pytest.mark.check("A13", "I07")

ORIGIN = "https://app.example"
SEEN = "/ \\ // . .. evil.example @ : ? # %2f %5C %09 %252f % https: javascript: a = & é %00 %0a"
PIECES = st.sampled_from([*SEEN.split(" "), *"\t\n\r\x00 "])
NASTY = st.lists(PIECES, max_size=8).map("".join)


def seen_by_a_browser(text: str) -> str:
    """Resolve *text* against the application's origin as the WHATWG URL standard does."""
    stripped = re.sub(r"[\t\n\r]", "", text.strip("".join(map(chr, range(33)))))
    slashes = stripped.partition("?")[0].replace("\\", "/")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", slashes):
        return "elsewhere"
    return "elsewhere" if slashes.startswith("//") else ORIGIN


@given(st.text() | NASTY | NASTY.map(lambda text: f"/{text}"))
def test_what_is_taken_stays_on_this_origin_for_every_reader(text: str) -> None:
    path = read_return_to(text).path

    for reading in (path, unquote(path), unquote(unquote(path))):
        assert seen_by_a_browser(reading.partition("?")[0]) == ORIGIN
    assert urlsplit(path).netloc == ""
    assert path.startswith("/")


@given(st.text() | NASTY)
def test_what_is_taken_is_taken_unchanged_or_not_at_all(text: str) -> None:
    assert read_return_to(text).path in {text, "/"}


@given(st.text() | NASTY)
def test_reading_twice_changes_nothing(text: str) -> None:
    once = read_return_to(text)

    assert read_return_to(once.path) == once


@given(st.text() | NASTY)
def test_what_is_taken_cannot_end_a_header_line(text: str) -> None:
    path = read_return_to(text).path

    assert path.isascii()
    assert path.isprintable()


@given(st.from_regex(r"/[a-z0-9-]{0,20}(\?[a-z]{1,9}=[a-z0-9]{0,9})?", fullmatch=True))
def test_an_ordinary_path_is_taken(text: str) -> None:
    assert read_return_to(text).path == text


def test_nothing_leads_home() -> None:
    assert read_return_to(None) == HOME
    assert read_return_to("") == HOME


def test_the_longest_path_is_taken_and_a_longer_one_is_not() -> None:
    longest = "/" + "a" * (MAX_CHARACTERS - 1)

    assert read_return_to(longest).path == longest
    assert read_return_to(longest + "a") == HOME
