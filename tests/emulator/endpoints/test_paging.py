"""Cursors are opaque, and no query breaks their reader."""

import contextlib
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given, settings, strategies as st
from starlette.exceptions import HTTPException

from webex_oauth.emulator.endpoints.rooms import PageRequest, next_link, read_page_request

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def query_of(link: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(link[1 : link.index(">")]).query, keep_blank_values=True)


@settings(deadline=None)
@given(st.integers(0, 10**8), st.integers(1, 1_000), st.lists(st.tuples(TEXT, TEXT)))
def test_a_next_link_leads_to_where_the_page_ended(
    start: int, size: int, query: list[tuple[str, str]]
) -> None:
    kept = [(name, value) for name, value in query if name not in {"max", "cursor"}]
    sent = [*kept, ("max", str(size))]

    link = next_link("http://localhost/v1/rooms", sent, PageRequest(start, size))

    assert query_of(link)[:-1] == sent
    following = read_page_request(query_of(link), cap=1_000, over_cap="clamp")
    assert following == PageRequest(start + size, size)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["max", "cursor"]), TEXT)))
def test_no_query_breaks_the_reader(query: list[tuple[str, str]]) -> None:
    with contextlib.suppress(HTTPException):
        page = read_page_request(query, cap=1_000, over_cap="refuse")
        assert 1 <= page.size <= 1_000
        assert page.start >= 0
