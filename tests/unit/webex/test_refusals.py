"""What a refusal of Webex means, in either shape and at either endpoint."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidResponse,
    RateLimited,
    ServerFailed,
    TokenError,
    TokenRequestRefused,
)
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.oauth.token import read_token_response
from webex_oauth.webex.platform import WEBEX, read_refusal

NOW = 1_700_000_000
TRACKING_ID = "ROUTER_68D0A1B2-1C3E-01BB-07A4-0A1B2C3D4E5F"
NO_SECRET = "client_secret cannot be null or empty"
SPENT = "The refresh token provided is expired, revoked, malformed, or invalid."


def gateway(message: str) -> dict[str, object]:
    errors = [{"description": message}]
    return {"message": message, "errors": errors, "trackingId": TRACKING_ID}


CODES_IN_A_TEXT = [
    *("invalid_grant", "invalid_refresh_token", "invalid_request", "invalid_client"),
    *("access_denied", "authorization_pending", "invalid_scope", "server_error", "slow_down"),
    "expired_token",
    *("temporarily_unavailable", "tokenlimit_reached", "unauthorized_client"),
    *("unsupported_grant_type", "unsupported_token_type"),
]


def broker(error: str, description: str = "") -> dict[str, object]:
    return {"error": error, "error_description": description, "trackingID": "NA_3e1d"}


GRANT_IS_OVER = [
    (400, broker("invalid_request", SPENT), "invalid_request"),
    (400, broker("invalid_grant"), "invalid_grant"),
    (400, broker("invalid_refresh_token"), "invalid_refresh_token"),
    (401, broker("invalid_grant"), "invalid_grant"),
    (200, broker("invalid_grant"), "invalid_grant"),
    (400, gateway("Invalid or expired code"), "invalid_grant"),
    (400, gateway(SPENT), "invalid_grant"),
    (400, gateway("invalid_refresh_token"), "invalid_refresh_token"),
    (400, {"errors": [{"description": "POST failed: invalid_grant"}]}, "invalid_grant"),
    (400, {}, "invalid_grant"),
]
CLIENT_IS_WRONG = [
    (401, gateway("Unauthorized"), "invalid_client"),
    (401, {}, "invalid_client"),
    (401, broker("invalid_client", "Client authentication failed"), "invalid_client"),
    (400, broker("invalid_client"), "invalid_client"),
    (400, gateway(NO_SECRET), "invalid_client"),
    (400, broker("invalid_request", NO_SECRET), "invalid_request"),
    (400, gateway("Client Id is invalid"), "invalid_client"),
    (400, gateway("The client secret is wrong"), "invalid_client"),
]
OTHERWISE = [
    (400, broker("tokenlimit_reached"), "tokenlimit_reached"),
    (400, gateway("tokenlimit_reached"), "tokenlimit_reached"),
    (400, broker("unsupported_grant_type"), "unsupported_grant_type"),
    (400, gateway("slow_down"), "slow_down"),
    (428, gateway("authorization_pending"), "authorization_pending"),
    (428, gateway("Not yet."), "authorization_pending"),
    (428, {}, "authorization_pending"),
    (428, gateway("slow_down"), "slow_down"),
    (400, gateway("expired_token"), "expired_token"),
    (400, broker("Internal Server Error", "unexpected"), "Internal Server Error"),
    (403, gateway("Forbidden"), "status 403"),
    (404, gateway("The requested resource could not be found."), "status 404"),
    (415, gateway("Content type 'application/json' not supported"), "status 415"),
]
CASES = [
    *((InvalidGrant, *case) for case in GRANT_IS_OVER),
    *((InvalidClient, *case) for case in CLIENT_IS_WRONG),
    *((TokenRequestRefused, *case) for case in OTHERWISE),
]


@pytest.mark.parametrize(("kind", "status", "members", "error"), CASES)
def test_a_refusal_says_what_to_do(
    kind: type[TokenError], status: int, members: dict[str, object], error: str
) -> None:
    refusal = read_refusal(status, members)

    assert (type(refusal), refusal.error) == (kind, error)


@pytest.mark.parametrize("code", CODES_IN_A_TEXT)
def test_a_code_in_the_text_of_the_gateway_means_what_it_means_to_the_broker(code: str) -> None:
    in_text = read_refusal(400, gateway(f"POST failed: {code}"))
    by_itself = read_refusal(400, broker(code))

    assert (type(in_text), in_text.error) == (type(by_itself), code)


@pytest.mark.parametrize(
    ("members", "description", "tracking_id"),
    [
        (gateway("Invalid code"), "Invalid code", TRACKING_ID),
        (broker("invalid_grant", "gone"), "gone", "NA_3e1d"),
        ({"errors": [{"description": "only here"}]}, "only here", None),
        ({"message": "a\r\nb", "trackingId": "x\x1b[0m"}, "a b", "x [0m"),
        ({"message": ["a"], "errors": {"description": "a"}, "trackingId": 7}, None, None),
        ({"errors": []}, None, None),
        ({"errors": ["text"]}, None, None),
        ({"errors": [{"description": None}]}, None, None),
        ({}, None, None),
    ],
)
def test_a_refusal_keeps_the_text_and_the_reference(
    members: dict[str, object], description: str | None, tracking_id: str | None
) -> None:
    refusal = read_refusal(400, members)

    assert (refusal.description, refusal.tracking_id) == (description, tracking_id)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (HttpResponse(400, {}, b'{"message":"Invalid code"}'), InvalidGrant),
        (HttpResponse(400, {"content-type": "text/html"}, b"<html>"), InvalidResponse),
        (HttpResponse(429, {"content-type": "text/html"}, b"<html>"), RateLimited),
        (HttpResponse(200, {}, b'{"message":"Something went wrong"}'), InvalidResponse),
        (HttpResponse(500, {}, b'{"error":"Internal Server Error"}'), ServerFailed),
    ],
)
def test_the_token_endpoint_of_webex_is_read_so(
    response: HttpResponse, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        read_token_response(WEBEX.server, response, NOW)


def test_an_old_answer_of_webex_without_token_type_is_read() -> None:
    body = b'{"access_token":"ZmFrZQ_PF84_0f8c5d1e","expires_in":1209599}'

    tokens = read_token_response(WEBEX.server, HttpResponse(200, {}, body), NOW)

    assert tokens.access_expires_at == NOW + 1209599


VALUES = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda values: st.lists(values, max_size=2) | st.dictionaries(st.text(), values, max_size=2),
    max_leaves=5,
)
# Not str.isprintable: letters that Unicode got after this Python was made are not hidden.
HIDDEN = {"Cc", "Cf", "Cs"}
NAMES = st.sampled_from(["error", "error_description", "message", "errors", "trackingId"])


@given(st.integers(400, 499), st.dictionaries(NAMES, VALUES))
def test_any_refusal_has_a_code_and_prints_on_one_line(
    status: int, members: dict[str, object]
) -> None:
    refusal = read_refusal(status, members)

    assert refusal.error
    hidden = {unicodedata.category(character) for character in str(refusal)} & HIDDEN
    assert (hidden, len(str(refusal).splitlines())) == (set(), 1)
