"""A return-to is a path of this origin, as every reader of URLs understands it."""

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, strategies as st

from webex_oauth.flows.sign_in import HOME, MAX_RETURN_TO_CHARACTERS, read_return_to

pytestmark = pytest.mark.check("A13", "I07")

ORIGIN = "https://app.example"
SEEN = "/ \\ // . .. evil.example @ : ? # %2f %5C %09 %252f % https: javascript: a = & é %00 %0a"
PIECES = st.sampled_from([*SEEN.split(" "), *"\t\n\r\x00 "])
NASTY = st.lists(PIECES, max_size=8).map("".join)

BAD = (
    "",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "http://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "evil.example",
    "evil.example/path",
    "@evil.example",
    ":80",
    "?a=b",
    "#a",
    "./a",
    "../a",
    "a",
    "/%2f/evil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%252fevil.example",
    "/%255cevil.example",
    "/%09/evil.example",
    "/%0d%0aset-cookie:a=b",
    "/%00",
    "/a%00b",
    "/a%0ab",
    "/a\x00b",
    "/a\x7fb",
    "/a%7fb",
    "/a%257fb",
    "/a%20b",
    "/a\u2028b",
    "/\u2044evil.example",
    "/\uff0fevil.example",
    "/\u3002evil",
    "/é",
    "/a b",
    "/a//b",
    "/a/%2f/b",
    "/a\\b",
    "/a%5c%5cb",
    "/<script>",
    '/"onload="x',
    "/a'\"b",
    "/{a}",
    "/|",
    "/^",
    "/`",
    "/a#b",
    " ",
    "listrooms",
    "/%2f%2fevil.example",
    "/%5c%5cevil.example",
    "/%252Fevil.example",
    "/%255Cevil.example",
    "/a//evil.example",
    "/a/%2F/evil.example",
    "/%0a/evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/\r\nSet-Cookie: a=b",
    "/\x00",
    "/%20/evil.example",
    "\x01//evil.example",
    "https://evil.example/listrooms",
    "https:///evil.example",
    "http:\\\\evil.example",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "blob:https://evil.example/x",
    "mailto:a@evil.example",
    "//evil.example@localhost",
    "//localhost@evil.example",
    "https://localhost@evil.example",
    "//[::1]",
    "//1.1.1.1",
    "//0x7f.1",
    "//evil.example:80",
    "//evil%2eexample",
    "//\u0435vil.example",
    "/\u2215evil.example",
    "/\u3002evil.example",
    "/listrooms#fragment",
    "/<script>alert(1)</script>",
    "/'\"><b>",
    "/{{7*7}}|x",
    "/" + "a" * MAX_RETURN_TO_CHARACTERS,
)
GOOD = (
    "/",
    "/listrooms",
    "/listrooms?filter=a%20b",
    "/listrooms?filter=https://evil.example/",
    "/index.html?a=b&c=d",
    "/a/b/c",
    "/logout",
)


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
    longest = "/" + "a" * (MAX_RETURN_TO_CHARACTERS - 1)

    assert read_return_to(longest).path == longest
    assert read_return_to(longest + "a") == HOME


@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_what_is_no_path_here_leads_home(text: str) -> None:
    assert read_return_to(text) == HOME


@pytest.mark.parametrize("text", GOOD)
def test_a_path_here_is_kept(text: str) -> None:
    assert read_return_to(text).path == text


@pytest.mark.parametrize(
    "text",
    [
        "/logout",
        "/logout?a=/b",
        "/%6cogout",
        "/%256cogout",
        "/a/../logout",
        "/a/%2e%2e/logout?b",
        "/logout/",
        "/./logout",
    ],
)
def test_a_path_that_may_be_taken_for_another_leads_to_it(text: str) -> None:
    assert read_return_to(text).leads_to({"/logout"})


@pytest.mark.parametrize("text", ["/", "/listrooms?/logout", "/logout/a", "/a/logout", "/Logout"])
def test_another_path_does_not_lead_there(text: str) -> None:
    assert not read_return_to(text).leads_to({"/logout"})
