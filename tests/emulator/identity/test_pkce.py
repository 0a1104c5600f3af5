"""PKCE: RFC 7636, with the vector of its appendix B."""

import pytest

from webex_oauth.emulator.identity.authorization import (
    Challenge,
    OAuthRefusal,
    check_verifier,
    read_challenge,
)

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = Challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256")


def test_the_vector_of_the_rfc_is_accepted() -> None:
    check_verifier(CHALLENGE, VERIFIER)


def test_a_plain_challenge_is_its_own_verifier() -> None:
    challenge = read_challenge(VERIFIER, None)

    assert challenge == Challenge(VERIFIER, "plain")
    check_verifier(challenge, VERIFIER)


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
    ids=["missing", "wrong", "too short", "the challenge", "not ASCII", "uncalled for"],
)
def test_every_other_verifier_is_refused(challenge: Challenge | None, verifier: str | None) -> None:
    with pytest.raises(OAuthRefusal):
        check_verifier(challenge, verifier)


def test_without_a_challenge_no_verifier_is_needed() -> None:
    assert read_challenge(None, None) is None
    check_verifier(None, None)


@pytest.mark.parametrize(
    ("value", "method"),
    [(None, "S256"), ("short", "S256"), ("a" * 129, "S256"), ("a" * 42 + "!", "S256"),
     (CHALLENGE.value, "S512"), (CHALLENGE.value, "s256"), ("", None)],
)  # fmt: skip
def test_a_malformed_challenge_is_an_invalid_request(value: str | None, method: str | None) -> None:
    with pytest.raises(OAuthRefusal) as refusal:
        read_challenge(value, method)

    assert refusal.value.error == "invalid_request"
