"""Lists that come page by page never leave the API (RFC 8288), and end."""

import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import InvalidResponse, ListTooLong
from webex_oauth.webex.api import PageTrail, PageUrl, read_next_link
from webex_oauth.webex.platform import WEBEX, platform

NEXT = "https://webexapis.com/v1/rooms?max=100&cursor=abc"
LOCAL = platform("http://localhost:8090")


@pytest.mark.parametrize(
    "header",
    [
        f'<{NEXT}>; rel="next"',
        f"<{NEXT}>; rel=next",
        f"<{NEXT}>;rel=next",
        f'<{NEXT}> ; REL = "NEXT"',
        f'<{NEXT}>; rel="prev next"',
        f'<{NEXT}>; rel="  next   last "',
        f'<{NEXT}>; title="a, b; rel=prev"; rel="next"',
        f'<{NEXT}>; title="say \\"next\\", <https://evil.example/>; rel=next"; rel=next',
        f'<{NEXT}>; rel="ne\\xt"',
        f"<{NEXT}>; crossorigin; rel=next",
        f"<{NEXT}>; ; rel=next;",
        f"<{NEXT}>; rel=next; rel=prev",
        f'<https://webexapis.com/v1/a>; rel="prev", <{NEXT}>; rel="next"',
        f'<{NEXT}>; rel="next", <https://evil.example/>; rel="last"',
        f"<{NEXT}>; rel=next, <{NEXT}>; rel=next",
        f" , ,\t<{NEXT}>; rel=next ,, ",
        f"<{NEXT}>; rel=next; title*=UTF-8''n%c3%a4chste",
        f"<>; rel=self, <{NEXT}>; rel=next",
        f'<https://evil.example/>; rel=next; anchor="#x", <{NEXT}>; rel=next',
    ],
)
def test_the_next_page_is_found_however_it_is_written(header: str) -> None:
    assert read_next_link(header, WEBEX) == PageUrl(NEXT)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " , ",
        f"<{NEXT}>",
        f"<{NEXT}>; rel=prev",
        f'<{NEXT}>; rel=""',
        f"<{NEXT}>; rel",
        f'<{NEXT}>; rel="nextpage"',
        f'<{NEXT}>; rel="next\xa0x"',
        f'<{NEXT}>; rel="\x85next"',
        f"<{NEXT}>; rel='next'",
        f'<{NEXT}>; rel="prev"; rel="next"',
        f'<{NEXT}>; title="rel=next"',
        f"<{NEXT}>; rev=next",
        f'<{NEXT}>; rel=next; anchor="https://webexapis.com/v1/other"',
        "<https://evil.example/>; rel=last",
    ],
)
def test_without_a_next_relation_this_was_the_last_page(header: str) -> None:
    assert read_next_link(header, WEBEX) is None


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("people?max=10&before&after=Y2lz", "people?max=10&before&after=Y2lz"),
        ("rooms?max=null&cursor=a", "rooms?cursor=a"),
        ("rooms?cursor=a&max=null", "rooms?cursor=a"),
        ("rooms?max=null", "rooms?"),
        ("rooms?max=nullable&xmax=null", "rooms?max=nullable&xmax=null"),
        ("people?email=mira%40acme.example&x=a@b", "people?email=mira%40acme.example&x=a@b"),
        ("rooms", "rooms"),
        ("", ""),
        ("rooms?next=https://evil.example/../..", "rooms?next=https://evil.example/../.."),
    ],
)
def test_the_url_is_kept_as_it_is_but_for_its_known_defect(target: str, url: str) -> None:
    header = f"<https://webexapis.com/v1/{target}>; rel=next"

    assert read_next_link(header, WEBEX) == PageUrl(f"https://webexapis.com/v1/{url}")


def test_a_local_webex_links_to_itself() -> None:
    header = "<http://localhost:8090/v1/rooms?cursor=a>; rel=next"

    assert read_next_link(header, LOCAL) == PageUrl("http://localhost:8090/v1/rooms?cursor=a")
    with pytest.raises(InvalidResponse):
        read_next_link(header, WEBEX)


FOREIGN = [
    "https://evil.example/v1/rooms",
    "http://webexapis.com/v1/rooms",
    "https://webexapis.com:8443/v1/rooms",
    "https://webexapis.com.evil.example/v1/rooms",
    "https://webexapis.com@evil.example/v1/rooms",
    "https://user:pass@webexapis.com/v1/rooms",
    "https://evil.example/https://webexapis.com/v1/rooms",
    "https://evil.example#https://webexapis.com/v1/",
    "https://evil.example?https://webexapis.com/v1/",
    "https://evil.example\\@webexapis.com/v1/rooms",
    "https:\\\\webexapis.com\\v1\\rooms",
    "https:webexapis.com/v1/rooms",
    "//evil.example/v1/rooms",
    "//webexapis.com/v1/rooms",
    "/v1/rooms?cursor=a",
    "?cursor=a",
    "rooms",
    "",
    "javascript:alert(1)",
    "https://webexapis.com/",
    "https://webexapis.com/v1",
    "https://webexapis.com/v10/rooms",
    "https://webexapis.com/v2/rooms",
    "https://webexapis.com/V1/rooms",
    "https://webexapis.com/v1/../v2/rooms",
    "https://webexapis.com/v1/..",
    "https://webexapis.com/v1/./rooms",
    "https://webexapis.com/v1/%2e%2e/v2/rooms",
    "https://webexapis.com/v1/%2E./v2",
    "https://webexapis.com/v1/..%2fv2/rooms",
    "https://webexapis.com/v1/..%5cv2/rooms",
    "https://webexapis.com/v1/..\\v2/rooms",
    "https://webexapis.com/v1/rooms#fragment",
    "https://webexapis.com/v1/rooms?a b",
    "https://webexapis.com/v1/rooms\r\nX-Evil: 1",
    "https://webexapis.com/v1/rooms\n",
    "https://webexapis.com/v1/rooms\x00",
    "https://webexapis.com/v1/rooms?x=é",
    "https://webexapis.com/v1/rooms?x=%",
    "https://webexapis.com/v1/rooms?x=%zz",
    " https://webexapis.com/v1/rooms",
    "\thttps://webexapis.com/v1/rooms",
    "HTTPS://evil.example/v1/",
    "https://webexapis\u2024com/v1/rooms",
    "https://xn--webexapis.com/v1/rooms",
]


@pytest.mark.parametrize("target", FOREIGN, ids=ascii)
def test_a_next_page_anywhere_else_is_never_followed(target: str) -> None:
    with pytest.raises(InvalidResponse, match="next page"):
        read_next_link(f'<{target}>; rel="next"', WEBEX)


@pytest.mark.parametrize(
    "header",
    [
        NEXT,
        f"{NEXT}; rel=next",
        f"<{NEXT}",
        f"<{NEXT}; rel=next",
        f"<{NEXT}>; rel=",
        f'<{NEXT}>; rel="next',
        f'<{NEXT}>; rel="next\\"',
        f"<{NEXT}>; rel=next next",
        f"<{NEXT}>; =next",
        f"<{NEXT}> rel=next",
        f"<{NEXT}><{NEXT}>; rel=next",
        f"<<{NEXT}>>; rel=next",
        f'<{NEXT}>; "rel"=next',
        f"<{NEXT}>; rel=next\n",
        f"<{NEXT}>; rel=next; {'x' * 9_000}",
    ],
    ids=range(15),
)
def test_a_header_that_cannot_be_read_does_not_end_the_list_in_silence(header: str) -> None:
    with pytest.raises(InvalidResponse, match="link header"):
        read_next_link(header, WEBEX)


def test_two_different_next_pages_are_refused() -> None:
    with pytest.raises(InvalidResponse, match="more than one"):
        read_next_link(f"<{NEXT}>; rel=next, <{NEXT}2>; rel=next", WEBEX)


@pytest.mark.parametrize(
    "piece", ["; ", ";  x", ";x=", " ", ";a=b ", '; a="\\', "<>;", ",", "<", "<>", '"', "\\"]
)
def test_reading_takes_linear_time_whatever_the_header_says(piece: str) -> None:
    header = f"<{NEXT}>{piece * 8_000}"[:8_000] + "\x00"
    begun = time.process_time()

    with pytest.raises(InvalidResponse):
        read_next_link(header, WEBEX)

    assert time.process_time() - begun < 1.0


PIECES = st.sampled_from(
    [f"<{NEXT}>", "<https://evil.example/v1/>", "<", ">", ";", "rel=next", '"', "\\", ",", " ", "="]
)


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_any_header_leads_to_the_api_or_nowhere(header: str) -> None:
    try:
        found = read_next_link(header, WEBEX)
    except InvalidResponse:
        return

    assert found is None or urlsplit(found.text)[:3] == ("https", "webexapis.com", "/v1/rooms")


TARGETS = st.text(st.characters(codec="ascii", exclude_characters="<>"), max_size=20)


@given(st.sampled_from(["", "https://webexapis.com", "https://webexapis.com/v1/"]), TARGETS)
def test_any_target_is_below_the_api_or_refused(start: str, target: str) -> None:
    try:
        found = read_next_link(f"<{start}{target}>; rel=next", WEBEX)
    except InvalidResponse:
        return

    assert found is not None
    parts = urlsplit(found.text)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "webexapis.com", "")
    assert parts.path.startswith("/v1/")
    assert ".." not in parts.path.split("/")


def test_a_header_has_a_longest_length() -> None:
    link = f"<{NEXT}>; rel=next"
    longest = link + "," * (8 * 1024 - len(link))

    assert read_next_link(longest, WEBEX) == PageUrl(NEXT)
    with pytest.raises(InvalidResponse, match="too long"):
        read_next_link(longest + ",", WEBEX)


def page(number: int) -> PageUrl:
    return PageUrl(f"https://webexapis.com/v1/rooms?cursor={number}")


@pytest.mark.bound("pages of a list")
def test_a_list_is_left_after_a_thousand_pages_the_first_one_included() -> None:
    trail = PageTrail()
    for number in range(2, 1_001):
        trail.check(page(number))

    with pytest.raises(ListTooLong, match="more than 1000 pages"):
        trail.check(page(1_001))


@pytest.mark.parametrize("circle", [[2, 2], [2, 3, 2], [2, 3, 4, 5, 3]])
def test_a_page_is_not_followed_twice(circle: list[int]) -> None:
    trail = PageTrail()
    for number in circle[:-1]:
        trail.check(page(number))

    with pytest.raises(InvalidResponse, match="circle"):
        trail.check(page(circle[-1]))
