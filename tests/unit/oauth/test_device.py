"""The device grant: the request for a code, and what its token endpoint answers (RFC 8628)."""

import json
from urllib.parse import parse_qs

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace
from unit.oauth.example import CLIENT, NOW, SERVER

from webex_oauth.errors import (
    AuthorizationRefused,
    InvalidClient,
    InvalidGrant,
    InvalidResponse,
    RateLimited,
    SignInTimedOut,
    TokenRequestRefused,
)
from webex_oauth.oauth.device import (
    LONGEST_DEVICE_SECONDS,
    LONGEST_INTERVAL_SECONDS,
    DeviceAuthorization,
    Pending,
    device_request,
    device_token_request,
    read_device_response,
    read_device_token_response,
)
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.server import ClientAuthentication
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret

DEVICES = replace(SERVER, device_authorization_endpoint="https://as.example/device")
SCOPES = ("spark:people_read", "spark:rooms_read")
ANSWER: dict[str, object] = {
    "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://example.com/device",
    "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 5,
}


def answer(members: object, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, headers, json.dumps(members).encode())


def form(request: HttpRequest) -> dict[str, list[str]]:
    return parse_qs(request.body.decode("ascii"), strict_parsing=True)


def read(members: object, status: int = 200) -> DeviceAuthorization:
    return read_device_response(DEVICES, answer(members, status), NOW, SCOPES)


def poll(members: object, status: int = 400, **headers: str) -> TokenSet | Pending:
    return read_device_token_response(DEVICES, answer(members, status, **headers), NOW)


def test_a_device_asks_for_scopes_as_the_client_it_is() -> None:
    request = device_request(DEVICES, CLIENT, SCOPES)

    assert (request.method, request.url) == ("POST", "https://as.example/device")
    assert form(request) == {
        "client_id": ["s6BhdRkqt3"],
        "client_secret": ["gX1fBat3bV"],
        "scope": ["spark:people_read spark:rooms_read"],
    }


def test_the_question_for_tokens_goes_to_the_token_endpoint_unless_there_is_another() -> None:
    request = device_token_request(DEVICES, CLIENT, Secret("GmRhmhcx"))
    elsewhere = replace(
        DEVICES,
        device_token_endpoint="https://as.example/device/token",
        device_authentication=ClientAuthentication.BASIC,
    )
    other = device_token_request(elsewhere, CLIENT, Secret("GmRhmhcx"))

    assert request.url == "https://as.example/token"
    assert other.url == "https://as.example/device/token"
    assert other.headers["authorization"].startswith("Basic ")
    assert form(other) == {
        "grant_type": ["urn:ietf:params:oauth:grant-type:device_code"],
        "device_code": ["GmRhmhcx"],
        "client_id": ["s6BhdRkqt3"],
    }


def test_a_server_without_the_grant_is_not_asked() -> None:
    with pytest.raises(ValueError, match="no device authorization endpoint"):
        device_request(SERVER, CLIENT, SCOPES)


@pytest.mark.check("C02")
def test_the_code_is_shown_and_the_devices_own_code_is_not() -> None:
    started = read(ANSWER)

    assert started.device_code == Secret("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS")
    assert started.expires_at == NOW + 1800
    assert str(started.shown) == (
        "Open https://example.com/device and enter the code WDJB-MJHT, or open "
        "https://example.com/device?user_code=WDJB-MJHT"
    )
    assert "GmRhmhcx" not in f"{started}{started!r}{started.shown!r}"


def test_what_may_be_left_out_has_the_defaults_of_the_rfc() -> None:
    few = {k: v for k, v in ANSWER.items() if k not in {"interval", "verification_uri_complete"}}

    shown = read(few).shown

    assert (shown.interval, shown.verification_uri_complete) == (5, None)
    assert str(shown) == "Open https://example.com/device and enter the code WDJB-MJHT"


@pytest.mark.check("C02")
def test_nothing_that_acts_on_a_terminal_is_shown() -> None:
    started = read(
        {**ANSWER, "user_code": "12\x1b]0;x\x07\r\n34\u202e", "verification_uri": "a\x9bb"}
    )

    assert started.shown.user_code == "12 ]0;x 34"
    assert started.shown.verification_uri == "a b"


@pytest.mark.parametrize("name", ["device_code", "user_code", "verification_uri", "expires_in"])
@pytest.mark.parametrize("value", [None, "", [], {}])
def test_an_answer_that_lacks_a_part_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidResponse):
        read({**ANSWER, name: value})


@pytest.mark.bound("sign-in of a device", "pause between questions of a device")
def test_no_device_waits_longer_than_an_hour_or_pauses_longer_than_a_minute() -> None:
    started = read({**ANSWER, "expires_in": 10**12, "interval": 10**9})

    assert started.shown.expires_in == LONGEST_DEVICE_SECONDS == 3600
    assert started.expires_at == NOW + LONGEST_DEVICE_SECONDS
    assert started.shown.interval == LONGEST_INTERVAL_SECONDS == 60


def test_a_wrong_client_is_told_at_once() -> None:
    with pytest.raises(InvalidClient):
        read({"error": "invalid_client"}, 401)


@pytest.mark.check("C01")
@pytest.mark.parametrize("pending", [*Pending])
def test_who_has_not_decided_is_asked_again(pending: Pending) -> None:
    assert poll({"error": pending.value}) is pending


@pytest.mark.check("C01")
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("access_denied", AuthorizationRefused),
        ("expired_token", SignInTimedOut),
        ("invalid_grant", InvalidGrant),
        ("invalid_client", InvalidClient),
        ("unsupported_grant_type", TokenRequestRefused),
    ],
)
def test_every_other_refusal_is_the_end(error: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        poll({"error": error})


def test_being_asked_to_come_back_later_is_no_refusal() -> None:
    with pytest.raises(RateLimited):
        poll({}, 429, **{"retry-after": "7"})


def test_tokens_come_as_from_the_token_endpoint() -> None:
    tokens = poll({"access_token": "2Yotn", "token_type": "Bearer", "expires_in": 64799}, 200)

    assert isinstance(tokens, TokenSet)
    assert tokens.access_expires_at == NOW + 64799


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*ANSWER]), JSON_VALUES))
def test_any_other_answer_is_read_or_refused(changes: dict[str, object]) -> None:
    try:
        started = read({**ANSWER, **changes})
    except InvalidResponse:
        return
    assert str(started.shown).isprintable()
