"""The authorization request is read strictly and answered at a registered address; so is PKCE."""

from typing import Any

import pytest

from webex_oauth.emulator import Randomness, new_integration
from webex_oauth.emulator.identity import OAuthRefusal, Unredirectable
from webex_oauth.emulator.identity.integrations import IntegrationRegistry
from webex_oauth.emulator.identity.sign_ins import (
    AuthorizationRequest,
    Challenge,
    callback_url,
    check_verifier,
    read_authorization_request,
    read_challenge,
    read_return_address,
    single_values,
)

REDIRECT_URI = "http://localhost:8080/oauth"
CLIENT = new_integration(Randomness(1), redirect_uris=(REDIRECT_URI,))
SEVERAL = new_integration(Randomness(2), redirect_uris=(REDIRECT_URI, "https://app.example/cb"))
MODEST = new_integration(Randomness(3), scopes=("spark:people_read",))
REGISTRY = IntegrationRegistry([CLIENT, SEVERAL, MODEST])
# The vector of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = Challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256")


def read(*, is_pkce_required: bool = False, **changes: Any) -> AuthorizationRequest:
    fields = {
        "client_id": CLIENT.client_id,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "spark:people_read spark:rooms_read",
        **changes,
    }
    sent = {name: value for name, value in fields.items() if value is not None}
    address = read_return_address(sent, REGISTRY)
    return read_authorization_request(sent, address, is_pkce_required=is_pkce_required)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        REDIRECT_URI + "/",
        REDIRECT_URI + "?a=b",
        REDIRECT_URI.replace("http:", "https:"),
        REDIRECT_URI.replace("localhost", "127.0.0.1"),
        REDIRECT_URI.replace(":8080", ":8081"),
        "",
    ],
)
def test_a_redirect_uri_must_be_the_registered_string(redirect_uri: str) -> None:
    with pytest.raises(Unredirectable, match="redirect_uri_mismatch"):
        read(redirect_uri=redirect_uri)


def test_a_redirect_uri_may_be_left_out_when_there_is_only_one() -> None:
    address = read(redirect_uri=None).address

    assert (address.redirect_uri, address.is_redirect_uri_sent) == (REDIRECT_URI, False)
    with pytest.raises(Unredirectable, match="redirect_uri_mismatch"):
        read(client_id=SEVERAL.client_id, redirect_uri=None)


@pytest.mark.parametrize(
    ("client_id", "words"),
    [
        ("", "Parameter:client_id is blank"),
        ("C656d756c61746f72" + "f" * 48, "not registered here"),
        ("C" + "0123456789abcdef" * 4, "was not issued by an emulator"),
    ],
)
def test_an_unknown_client_is_told_apart_from_a_real_one(client_id: str, words: str) -> None:
    with pytest.raises(Unredirectable, match=words):
        read(client_id=client_id)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "password"}, "unsupported_response_type"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "spark:people_write"}, "invalid_scope"),
        ({"scope": "spark:all"}, "invalid_scope"),
        ({"scope": "openid spark:people_read"}, "invalid_scope"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "9" * 5_000}, "invalid_request"),
    ],
)
def test_other_faults_are_for_the_redirect(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(OAuthRefusal, match=error) as refusal:
        read(**changes)

    assert not isinstance(refusal.value, Unredirectable)


def test_pkce_can_be_required() -> None:
    with pytest.raises(OAuthRefusal, match="code_challenge is required"):
        read(is_pkce_required=True)


def test_the_kms_scope_belongs_to_every_integration_and_counts_once() -> None:
    scope = "spark:kms spark:people_read  spark:kms"

    scopes = read(client_id=MODEST.client_id, scope=scope).scopes

    assert scopes == ("spark:kms", "spark:people_read")


def test_a_repeated_parameter_is_refused() -> None:
    with pytest.raises(Unredirectable, match="Parameter:state is sent more than once"):
        single_values([("state", "a"), ("client_id", "b"), ("state", "a")])


@pytest.mark.parametrize(
    ("redirect_uri", "expected"),
    [
        ("http://localhost/cb", "http://localhost/cb?code=a"),
        ("http://localhost/cb?x=1&y", "http://localhost/cb?x=1&y&code=a"),
        ("aperio://done", "aperio://done?code=a"),
    ],
)
def test_a_callback_keeps_the_query_of_the_redirect_uri(redirect_uri: str, expected: str) -> None:
    assert callback_url(redirect_uri, {"code": "a"}) == expected


@pytest.mark.parametrize(
    ("challenge", "verifier"),
    [(CHALLENGE, VERIFIER), (Challenge(VERIFIER, "plain"), VERIFIER), (None, None)],
    ids=["the vector of the RFC", "plain", "none"],
)
def test_the_right_verifier_is_accepted(challenge: Challenge | None, verifier: str | None) -> None:
    check_verifier(challenge, verifier)


@pytest.mark.parametrize(
    ("challenge", "verifier"),
    [
        (CHALLENGE, None),
        (CHALLENGE, VERIFIER[:-1] + "l"),
        (CHALLENGE, VERIFIER[:-1]),
        (CHALLENGE, CHALLENGE.value),
        (CHALLENGE, "é" * 43),
        (None, VERIFIER),
    ],
    ids=["missing", "wrong", "too short", "the challenge", "not ASCII", "unexpected"],
)
def test_every_other_verifier_is_refused(challenge: Challenge | None, verifier: str | None) -> None:
    with pytest.raises(OAuthRefusal):
        check_verifier(challenge, verifier)


def test_a_challenge_without_a_method_is_plain() -> None:
    assert read_challenge(VERIFIER, None) == Challenge(VERIFIER, "plain")
    assert read_challenge(None, None) is None


@pytest.mark.parametrize(
    ("value", "method"),
    [(None, "S256"), ("short", "S256"), ("a" * 129, "S256"), ("a" * 42 + "!", "S256"),
     (CHALLENGE.value, "S512"), (CHALLENGE.value, "s256"), ("", None)],
)  # fmt: skip
def test_a_malformed_challenge_is_an_invalid_request(value: str | None, method: str | None) -> None:
    with pytest.raises(OAuthRefusal, match="invalid_request"):
        read_challenge(value, method)
