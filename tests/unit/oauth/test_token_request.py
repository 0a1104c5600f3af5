"""Requests that carry a code or a token: exchange, refresh, revoke, present."""

from base64 import b64decode
from urllib.parse import parse_qs, unquote_plus

import pytest
from hypothesis import example, given, strategies as st
from msgspec.structs import replace
from unit.oauth.example import CLIENT, NOW, SERVER

from webex_oauth.errors import (
    InvalidClient,
    InvalidResponse,
    RateLimited,
    ServerFailed,
    TokenRequestRefused,
)
from webex_oauth.oauth.authorization import AuthorizationCode
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.server import Client, ClientAuthentication
from webex_oauth.oauth.token import (
    TokenTypeHint,
    authorization_header,
    code_request,
    read_revocation_response,
    read_token,
    refresh_request,
    revocation_request,
)
from webex_oauth.secret import Secret

CODE = AuthorizationCode(Secret("SplxlOBeZQQYbYS6WxSbIA"))
VERIFIER = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
BASIC = ClientAuthentication.BASIC


def form(request: HttpRequest) -> dict[str, list[str]]:
    return parse_qs(request.body.decode("ascii"), strict_parsing=True)


def test_a_code_is_exchanged_with_its_redirect_uri_and_verifier() -> None:
    request = code_request(SERVER, CLIENT, CODE, VERIFIER)

    assert (request.method, request.url) == ("POST", "https://as.example/token")
    assert request.headers == {
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/json",
    }
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


def test_the_basic_header_is_the_one_of_section_2_3_1() -> None:
    client = replace(CLIENT, authentication=BASIC)

    request = refresh_request(SERVER, client, Secret("tGzv3JOkF0XG5Qx2TlKWIA"))

    assert request.headers["authorization"] == "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
    assert form(request).keys() == {"grant_type", "refresh_token"}


@given(st.text(min_size=1), st.text(min_size=1))
def test_credentials_survive_header_and_form_whatever_they_hold(
    client_id: str, secret: str
) -> None:
    client = Client(client_id, Secret(secret), "https://c.example/cb")

    sent = form(refresh_request(SERVER, client, Secret("t")))
    basic = refresh_request(SERVER, replace(client, authentication=BASIC), Secret("t"))

    assert (sent["client_id"], sent["client_secret"]) == ([client_id], [secret])
    halves = b64decode(basic.headers["authorization"].removeprefix("Basic "), validate=True)
    assert list(map(unquote_plus, halves.decode("ascii").split(":"))) == [client_id, secret]


@pytest.mark.parametrize("authentication", ClientAuthentication)
def test_a_request_prints_no_secret(authentication: ClientAuthentication) -> None:
    client = replace(CLIENT, authentication=authentication)

    shown = repr([client, CODE, code_request(SERVER, client, CODE, VERIFIER)])

    for secret in ("gX1fBat3bV", "SplxlOBeZQQYbYS6WxSbIA", "dBjftJeZ4", "czZCaGRSa3F0"):
        assert secret not in shown


@pytest.mark.parametrize("hint", ["access_token", "refresh_token"])
def test_a_token_is_revoked_with_a_hint_of_its_type(hint: TokenTypeHint) -> None:
    request = revocation_request(SERVER, CLIENT, Secret("45ghiukldjahdnhzdauz"), hint)

    assert request.url == "https://as.example/revoke"
    assert parse_qs(request.body.decode()) == {
        "token": ["45ghiukldjahdnhzdauz"],
        "token_type_hint": [hint],
        "client_id": ["s6BhdRkqt3"],
        "client_secret": ["gX1fBat3bV"],
    }


def test_the_endpoint_may_take_another_client_authentication() -> None:
    server = replace(SERVER, revocation_authentication=ClientAuthentication.BASIC)

    request = revocation_request(server, CLIENT, Secret("t"), "access_token")

    assert request.headers["authorization"] == "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
    assert b"client" not in request.body


def test_a_server_without_the_endpoint_is_not_asked() -> None:
    server = replace(SERVER, revocation_endpoint=None)

    with pytest.raises(ValueError, match="no revocation endpoint"):
        revocation_request(server, CLIENT, Secret("t"), "access_token")


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("body", [b"", b"{}", b"<html>"])
def test_the_status_alone_says_that_the_token_is_gone(status: int, body: bytes) -> None:
    read_revocation_response(SERVER, HttpResponse(status, {}, body), NOW)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (HttpResponse(400, {}, b'{"error":"unsupported_token_type"}'), TokenRequestRefused),
        (HttpResponse(401, {}, b'{"error":"invalid_client"}'), InvalidClient),
        (HttpResponse(401, {}, b""), InvalidClient),
        (HttpResponse(404, {"content-type": "text/html"}, b"<h1>"), InvalidResponse),
        (HttpResponse(302, {"location": "/login"}, b""), InvalidResponse),
        (HttpResponse(202, {}, b""), InvalidResponse),
        (HttpResponse(503, {"retry-after": "120"}, b""), ServerFailed),
        (HttpResponse(429, {"retry-after": "120"}, b""), RateLimited),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_any_other_answer_is_a_typed_error(response: HttpResponse, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        read_revocation_response(SERVER, response, NOW)


def test_the_header_is_the_one_of_section_2_1() -> None:
    assert authorization_header(Secret("mF_9.B5f-4.1JqM")) == "Bearer mF_9.B5f-4.1JqM"


@pytest.mark.parametrize(
    "token", ["", " ", "a b", "a\r\nX-Evil: 1", "a\n", "a\x00", "é", "\ud800", "a" * 16_385]
)
def test_a_token_that_could_change_the_request_is_not_sent(token: str) -> None:
    assert read_token(token) is None
    with pytest.raises(ValueError, match="could not stand in a header"):
        authorization_header(Secret(token))


@pytest.mark.parametrize("value", [None, 7, True, b"token", ["token"], {"value": "token"}])
def test_what_is_not_text_is_no_token(value: object) -> None:
    assert read_token(value) is None


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
@example("a" * 16_384)
def test_visible_ascii_is_sent_as_it_is(token: str) -> None:
    assert authorization_header(Secret(token)).removeprefix("Bearer ") == token
