"""Where Webex is."""

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import ConfigurationError
from webex_oauth.oauth.server import ClientAuthentication
from webex_oauth.webex.platform import WEBEX, platform


def test_the_real_webex_has_the_documented_endpoints() -> None:
    server = WEBEX.server

    assert WEBEX.is_production
    assert WEBEX.api_base_url == "https://webexapis.com/v1/"
    assert server.authorization_endpoint == "https://webexapis.com/v1/authorize"
    assert server.token_endpoint == "https://webexapis.com/v1/access_token"
    assert server.revocation_endpoint == "https://idbroker.webex.com/idb/oauth2/v1/revoke"
    assert server.issuer == "https://idbroker.webex.com/idb"
    assert "https://idbroker-b-us.webex.com/idb" in server.issuer_aliases
    assert server.revocation_authentication is ClientAuthentication.BASIC
    assert server.device_authorization_endpoint == "https://webexapis.com/v1/device/authorize"
    assert server.device_token_endpoint == "https://webexapis.com/v1/device/token"
    assert server.device_authentication is ClientAuthentication.BASIC
    # Webex may rotate refresh tokens until it is learned that it does not.
    assert server.rotates_refresh_tokens is None


def test_a_local_webex_has_everything_on_its_own_origin() -> None:
    local = platform("http://127.0.0.1:8090")

    assert local.is_local
    assert not local.is_production
    assert local.server.issuer == "http://127.0.0.1:8090/idb"
    assert local.server.revocation_endpoint == "http://127.0.0.1:8090/v1/revoke"
    assert local.server.issuer_aliases == frozenset()


def test_where_an_unknown_webex_revokes_is_not_guessed() -> None:
    unknown = platform("https://api-usgov.webex.com")

    assert not unknown.is_local
    assert not unknown.is_production
    assert unknown.server.revocation_endpoint is None
    assert unknown.server.token_endpoint == "https://api-usgov.webex.com/v1/access_token"


def test_what_every_sign_in_asks_for_stays_in_the_endpoints_query() -> None:
    asked = platform(authorization_query="prompt=select_account")

    assert asked.server.authorization_endpoint.endswith("/v1/authorize?prompt=select_account")


@pytest.mark.parametrize(
    ("stated", "origin"),
    [
        ("https://webexapis.com/", "https://webexapis.com"),
        ("https://webexapis.com:443", "https://webexapis.com"),
        ("HTTPS://WebexAPIs.com", "https://webexapis.com"),
        ("https://webexapis.com:8443", "https://webexapis.com:8443"),
        ("http://localhost:80/", "http://localhost"),
        ("http://127.8.8.8:1", "http://127.8.8.8:1"),
        ("http://[::1]:8090", "http://[::1]:8090"),
        ("http://[::1]", "http://[::1]"),
        ("https://webexapis.com:65535", "https://webexapis.com:65535"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("http://LocalHost:8090", "http://localhost:8090"),
    ],
)
def test_an_origin_has_one_spelling(stated: str, origin: str) -> None:
    assert platform(stated).origin == origin


@pytest.mark.parametrize(
    "origin",
    [
        *("", "webexapis.com", "webexapis.com:443", "//webexapis.com", "ftp://webexapis.com"),
        *("javascript:alert(1)", "https://", "https://:443", "https://webexapis.com/v1"),
        *("https://webexapis.com?x=1", "https://webexapis.com?", "https://webexapis.com#x"),
        *("https://user@webexapis.com", "https://user:secret@webexapis.com"),
        *(f"https://webexapis.com:{port}" for port in ("", 0, 65536, 99999, "port")),
        *("https://webexapis.com\n", "https://.webexapis.com", "https://webexapis.com."),
        *("http://[::2]", "http://[:::]", "http://127.1", "http://2130706433", "https://[::1"),
        *("https://webexapis.com\\evil.example", "https://webex apis.com", "https://a,b"),
        *("https://webexapis.com\r\nX-Evil: 1", "https://webexäpis.com", "http://webexapis.com"),
        *("http://0.0.0.0:8090", "http://127.0.0.1.evil.example", "http://localhost.evil.example"),
        *("https://idbroker.webex.com", "https://idbroker-eu.webex.com"),
        *("https://[:]", "HTTPS://[:]", "https://[127.0.0.1.]", "https://[12:34]:8"),
    ],
)
def test_what_is_no_safe_origin_is_a_mistake_of_the_configuration(origin: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        platform(origin)

    assert len(refusal.value.mistakes) == 1


@given(st.text() | st.text(alphabet="aA1.:/[]@?#é", max_size=12).map("https://".__add__))
def test_any_text_is_an_origin_or_refused(text: str) -> None:
    try:
        found = platform(text)
    except ConfigurationError:
        return

    assert platform(found.origin) == found
    assert found.api_base_url == f"{found.origin}/v1/"
    assert found.origin.isascii()


@pytest.mark.check("C02")
@pytest.mark.parametrize(
    ("url", "at_webex", "at_a_local_one"),
    [
        ("https://oauth-helper-r.wbx2.com/verify?userCode=9d1f", True, True),
        ("HTTPS://login-k.webex.com/verify", True, True),
        ("http://localhost:8081/verify", False, True),
        ("http://[::1]:8081", False, True),
        ("http://webex.example/verify", False, False),
        ("http://localhost.evil.example/verify", False, False),
        ("javascript:alert(1)//https://webex.com", False, False),
        ("file:///etc/passwd", False, False),
        ("https://webex.com@evil.example/", False, False),
        ("https://webex.com/a b", False, False),
        ("https://webex.com/\n", False, False),
        ("https://", False, False),
        ("", False, False),
        ("-https://webex.com/", False, False),
    ],
)
def test_people_are_sent_over_tls_or_to_a_webex_on_their_own_machine(
    url: str, *, at_webex: bool, at_a_local_one: bool
) -> None:
    local = platform("http://localhost:8080")

    assert (WEBEX.has_page(url), local.has_page(url)) == (at_webex, at_a_local_one)


@pytest.mark.check("B12")
@pytest.mark.parametrize(
    "url",
    [
        "https://webexapis.com/v1/people/me",
        "https://WEBEXAPIS.com:443/v1/rooms?max=1",
        "https://webexapis.com",
        "https://mcp.webexapis.com/mcp/webex-messaging",
        "https://analytics.webexapis.com/v1/meeting/qualities",
        "https://analytics-calling-eu.webexapis.com/v1/cdr_feed",
        "https://api.wxcc-us1.cisco.com/v1/tasks",
    ],
)
def test_a_token_goes_to_webex_and_a_few_hosts_more_of_its_own(url: str) -> None:
    assert WEBEX.takes_token(url)
    assert not platform("http://127.0.0.1:8090").takes_token(url)


@pytest.mark.check("B12")
@pytest.mark.parametrize(
    "url",
    [
        "http://webexapis.com/v1/people/me",
        "https://webexapis.com:8443/v1/people/me",
        "https://webexapis.com.evil.example/v1/people/me",
        "https://webexapis.com@evil.example/",
        "https://u:p@webexapis.com/v1/people/me",
        "https://evil.example\\@webexapis.com/",
        "https://webexapis.com\\.evil.example/",
        "https://webexapis.com\t.evil.example/",
        "https://evil.example/https://webexapis.com/",
        "https://evil.example#@webexapis.com/",
        "https://notwebexapis.com/",
        "https://x.webexapis.com/",
        "https://analytics-calling-eu.webexapis.com.evil.example/",
        "https://api.wxcc-us1.cisco.com.evil.example/",
        "https://idbroker.webex.com/idb/oauth2/v1/revoke",
        "//webexapis.com/",
        "ftp://webexapis.com/",
        "file:///v1/people/me",
        "webexapis.com",
        "",
    ],
)
def test_a_token_goes_to_no_other_place(url: str) -> None:
    assert not WEBEX.takes_token(url)


def test_a_token_of_a_local_webex_stays_on_its_port() -> None:
    local = platform("http://127.0.0.1:8090")

    assert local.takes_token("http://127.0.0.1:8090/v1/rooms")
    assert not local.takes_token("http://127.0.0.1:8091/v1/rooms")
    assert not local.takes_token("http://localhost:8090/v1/rooms")
    assert not local.takes_token("https://127.0.0.1:8090/v1/rooms")
