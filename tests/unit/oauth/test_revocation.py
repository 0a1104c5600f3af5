"""Revocation (RFC 7009)."""

from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from webex_oauth.errors import (
    InvalidClient,
    InvalidResponse,
    RateLimited,
    ServerFailed,
    TokenRequestRefused,
)
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.oauth.server import AuthorizationServer, Client, ClientAuthentication
from webex_oauth.oauth.token import (
    TokenTypeHint,
    read_revocation_response,
    revocation_request,
)
from webex_oauth.secret import Secret

NOW = 1_700_000_000
SERVER = AuthorizationServer(
    issuer="https://as.example",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
    revocation_endpoint="https://as.example/revoke",
)
CLIENT = Client("s6BhdRkqt3", Secret("gX1fBat3bV"), "https://client.example.com/cb")


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
        (HttpResponse(408, {}, b""), ServerFailed),
        (HttpResponse(503, {"retry-after": "120"}, b""), ServerFailed),
        (HttpResponse(429, {"retry-after": "120"}, b""), RateLimited),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_any_other_answer_is_a_typed_error(response: HttpResponse, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        read_revocation_response(SERVER, response, NOW)
