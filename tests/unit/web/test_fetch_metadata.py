"""What browsers say about a request's cause; silence accuses nobody."""

import pytest
from hypothesis import given, strategies as st
from starlette.datastructures import Headers

from webex_oauth.web.browser_security import is_from_elsewhere, is_navigation, is_prefetch

HOME = "https://spaces.example"


def headers(**values: str) -> Headers:
    return Headers({name.replace("_", "-"): value for name, value in values.items()})


@pytest.mark.parametrize(
    "values",
    [
        {"sec_purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"sec_purpose": "prefetch;anonymous-client-ip"},
        {"purpose": "prefetch"},
        {"purpose": "Prefetch"},
        {"x_moz": "prefetch"},
        {"x_moz": "Prefetch"},
    ],
)
def test_a_prefetch_is_known(values: dict[str, str]) -> None:
    assert is_prefetch(headers(**values))


def test_a_person_is_no_prefetch() -> None:
    assert not is_prefetch(headers())
    assert is_navigation(headers())
    assert is_navigation(headers(sec_fetch_mode="navigate", sec_fetch_dest="document"))


@pytest.mark.check("A16")
@pytest.mark.parametrize("dest", ["image", "iframe", "script", "empty", "embed"])
def test_what_a_page_loads_is_no_navigation(dest: str) -> None:
    assert not is_navigation(headers(sec_fetch_mode="no-cors", sec_fetch_dest=dest))
    assert not is_navigation(headers(sec_fetch_mode="navigate", sec_fetch_dest=dest))
    assert not is_navigation(headers(sec_fetch_dest=dest))


@pytest.mark.check("A16")
@pytest.mark.parametrize("mode", ["no-cors", "cors", "same-origin", "websocket"])
def test_what_a_script_asks_for_is_no_navigation(mode: str) -> None:
    assert not is_navigation(headers(sec_fetch_mode=mode))


@pytest.mark.check("D09")
@pytest.mark.parametrize(
    "values",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "nonsense"},
        {"sec_fetch_site": ""},
        {"origin": "https://evil.example"},
        {"origin": "http://spaces.example"},
        {"origin": f"{HOME}:8443"},
        {"origin": f"{HOME}.evil.example"},
        {"origin": "null", "sec_fetch_site": "cross-site"},
        {"origin": ""},
        {"origin": "NULL"},
        {"origin": "null\xa0"},
        {"origin": f"{HOME}\x85"},
        {"sec_fetch_site": "same-origin\xa0"},
        {"origin": HOME, "sec_fetch_site": "cross-site"},
        {"origin": "https://evil.example", "sec_fetch_site": "same-origin"},
        {"origin": "null", "sec_fetch_site": "none"},
    ],
)
def test_another_site_is_known(values: dict[str, str]) -> None:
    assert is_from_elsewhere(headers(**values), HOME)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"origin": HOME},
        {"origin": "null"},
        {"origin": HOME, "sec_fetch_site": "same-origin"},
        {"origin": "null", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
def test_this_site_is_known(values: dict[str, str]) -> None:
    assert not is_from_elsewhere(headers(**values), HOME)


@pytest.mark.check("I07")
@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_only_one_origin_is_ours(origin: str, site: str) -> None:
    said = Headers(
        raw=[(b"origin", origin.encode("latin-1")), (b"sec-fetch-site", site.encode("latin-1"))]
    )

    assert is_from_elsewhere(said, HOME) or (origin, site) in {
        (HOME, "same-origin"),
        (HOME, "none"),
        ("null", "same-origin"),
    }
