"""Where a sign-in leads: a path here, by the reading of every browser, or home."""

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given, strategies as st

from webex_oauth.flows.return_to import HOME, MAX_CHARACTERS, read_return_to

ORIGIN = "https://spaces.example"
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
    "/" + "a" * MAX_CHARACTERS,
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


@pytest.mark.check("A13")
@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_what_is_no_path_here_leads_home(text: str) -> None:
    assert read_return_to(text) == HOME


@pytest.mark.check("A13")
@pytest.mark.parametrize("text", GOOD)
def test_a_path_here_is_kept(text: str) -> None:
    assert read_return_to(text).path == text


def test_nothing_leads_home() -> None:
    assert read_return_to(None) == HOME


@pytest.mark.check("A13")
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


def as_browsers_read(text: str) -> str:
    """Do what the URL standard does before a URL is parsed: drop and fold characters."""
    without_breaks = text.strip("".join(map(chr, range(33)))).translate(
        {9: None, 10: None, 13: None}
    )
    return without_breaks.replace("\\", "/")


PIECES = (
    *("/", "\\", "%2f", "%5c", "%09", "%0a", "\t", "\n", " ", ".", "..", "a", "?", "#", "@", ":"),
    *("https:", "evil.example", "%", "%25"),
)


@pytest.mark.check("A13", "I07")
@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join) | st.text(max_size=50))
def test_whatever_is_asked_for_stays_on_this_origin(text: str) -> None:
    path = read_return_to(text).path

    for read in (path, unquote(path), unquote(unquote(path))):
        target = urlsplit(urljoin(f"{ORIGIN}/oauth", as_browsers_read(read.partition("?")[0])))
        assert f"{target.scheme}://{target.netloc}" == ORIGIN
    assert path.startswith("/")
    assert path.isascii()


@pytest.mark.check("I07")
@given(st.text(max_size=100))
def test_what_was_judged_once_is_judged_the_same_again(text: str) -> None:
    once = read_return_to(text)

    assert read_return_to(once.path) == once
