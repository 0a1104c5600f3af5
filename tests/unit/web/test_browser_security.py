"""What protects a browser: form tokens, headers, and what browsers say about a request's cause."""

import pytest
from hypothesis import given, strategies as st
from starlette.datastructures import Headers

from webex_oauth.flows.fetch_metadata import is_from_elsewhere, is_navigation, is_prefetch
from webex_oauth.secret import Secret
from webex_oauth.web.browser_security import content_security_policy, security_headers
from webex_oauth.web.visit import csrf_token, notice_proof

HOME = "https://spaces.example"
MINE, ANOTHER = Secret("session-1"), Secret("session-2")
NOTICE = "ended"


@pytest.mark.check("D09")
def test_a_form_token_belongs_to_one_session_and_is_not_its_id() -> None:
    token = csrf_token(MINE)

    assert token == csrf_token(MINE)
    assert token not in {csrf_token(ANOTHER), MINE, Secret(""), Secret("0" * 64)}


def test_a_proof_belongs_to_one_notice_of_one_session_and_has_128_bits() -> None:
    proof = notice_proof(NOTICE, MINE)

    assert proof == notice_proof(NOTICE, MINE)
    assert proof not in {notice_proof("another", MINE), notice_proof(NOTICE, ANOTHER)}
    assert len(bytes.fromhex(proof)) == 16


@pytest.mark.parametrize("notice", ["", "csrf", "webex-oauth csrf", "\ud800"])
def test_no_proof_in_an_address_is_the_start_of_a_token(notice: str) -> None:
    assert not csrf_token(MINE).reveal().startswith(notice_proof(notice, MINE))


@pytest.mark.check("D12")
def test_tls_is_remembered_only_for_a_host_that_is_not_this_machine() -> None:
    remembered = {
        origin: b"strict-transport-security" in dict(security_headers(origin))
        for origin in ("https://spaces.example:8443", "https://localhost:8443", "http://localhost")
    }

    assert list(remembered.values()) == [True, False, False]


@pytest.mark.check("D11")
def test_a_page_may_make_no_script_of_a_text() -> None:
    assert b"require-trusted-types-for 'script'" in content_security_policy().split(b"; ")


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
