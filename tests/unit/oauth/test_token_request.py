"""Token requests, and how the client proves itself in them (RFC 6749 sections 2.3.1, 4.1.3, 6)."""

from base64 import b64decode
from dataclasses import replace
from urllib.parse import parse_qs, unquote_plus

import pytest
from hypothesis import given, strategies as st

from webex_oauth.oauth.authorization import AuthorizationCode
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.oauth.server import AuthorizationServer, Client, ClientAuthentication
from webex_oauth.oauth.token import code_request, refresh_request
from webex_oauth.secret import Secret

SERVER = AuthorizationServer(
    issuer="https://as.example",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
)
CLIENT = Client("s6BhdRkqt3", Secret("gX1fBat3bV"), "https://client.example.com/cb")
CODE = AuthorizationCode(Secret("SplxlOBeZQQYbYS6WxSbIA"))
VERIFIER = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
BASIC = ClientAuthentication.BASIC


def form(request: HttpRequest) -> dict[str, list[str]]:
    return parse_qs(request.body.decode("ascii"), strict_parsing=True)


def test_a_code_is_exchanged_with_its_redirect_uri_and_verifier() -> None:
    request = code_request(SERVER, CLIENT, CODE, VERIFIER)

    assert (request.method, request.url) == ("POST", "https://as.example/token")
    assert form(request) == {
        "grant_type": ["authorization_code"],
        "code": ["SplxlOBeZQQYbYS6WxSbIA"],
        "redirect_uri": ["https://client.example.com/cb"],
        "code_verifier": ["dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"],
        "client_id": ["s6BhdRkqt3"],
        "client_secret": ["gX1fBat3bV"],
    }


def test_a_refresh_sends_the_refresh_token_and_nothing_else() -> None:
    request = refresh_request(SERVER, CLIENT, Secret("tGzv3JOkF0XG5Qx2TlKWIA"))

    assert form(request) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["tGzv3JOkF0XG5Qx2TlKWIA"],
        "client_id": ["s6BhdRkqt3"],
        "client_secret": ["gX1fBat3bV"],
    }


@pytest.mark.parametrize("authentication", ClientAuthentication)
def test_the_content_type_is_exactly_the_one_of_forms(
    authentication: ClientAuthentication,
) -> None:
    client = replace(CLIENT, authentication=authentication)

    request = code_request(SERVER, client, CODE, VERIFIER)

    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"


def test_the_basic_header_is_the_one_of_section_2_3_1() -> None:
    client = replace(CLIENT, authentication=BASIC)

    request = refresh_request(SERVER, client, Secret("tGzv3JOkF0XG5Qx2TlKWIA"))

    assert request.headers["authorization"] == "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
    assert form(request).keys() == {"grant_type", "refresh_token"}


def test_with_post_there_is_no_authorization_header() -> None:
    assert "authorization" not in code_request(SERVER, CLIENT, CODE, VERIFIER).headers


@given(st.text(min_size=1), st.text(min_size=1))
def test_credentials_survive_the_basic_header_whatever_they_hold(
    client_id: str, secret: str
) -> None:
    client = Client(client_id, Secret(secret), "https://c.example/cb", BASIC)

    header = refresh_request(SERVER, client, Secret("t")).headers["authorization"]

    halves = b64decode(header.removeprefix("Basic "), validate=True).decode("ascii").split(":")
    assert [unquote_plus(half) for half in halves] == [client_id, secret]


@pytest.mark.parametrize(
    "secret", [":", "%", "+", "/", " ", "é", "a&client_id=evil", "%3A", "\r\n"]
)
def test_credentials_survive_the_form_whatever_they_hold(secret: str) -> None:
    client = replace(CLIENT, client_secret=Secret(secret))

    sent = form(refresh_request(SERVER, client, Secret("t")))

    assert (sent["client_id"], sent["client_secret"]) == (["s6BhdRkqt3"], [secret])


@pytest.mark.parametrize("authentication", ClientAuthentication)
def test_a_request_prints_no_secret(authentication: ClientAuthentication) -> None:
    client = replace(CLIENT, authentication=authentication)

    shown = repr([client, CODE, code_request(SERVER, client, CODE, VERIFIER)])

    for secret in ("gX1fBat3bV", "SplxlOBeZQQYbYS6WxSbIA", "dBjftJeZ4", "czZCaGRSa3F0"):
        assert secret not in shown
