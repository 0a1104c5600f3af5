"""PKCE against RFC 7636."""

import base64
import hashlib
import re

import pytest
from hypothesis import given, strategies as st

from webex_oauth.oauth.authorization import code_challenge, code_verifier
from webex_oauth.secret import Secret

APPENDIX_B_OCTETS = bytes.fromhex(
    "7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79"
)
APPENDIX_B_VERIFIER = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")


def test_the_verifier_is_the_one_of_appendix_b() -> None:
    assert code_verifier(APPENDIX_B_OCTETS) == APPENDIX_B_VERIFIER


def test_the_challenge_is_the_one_of_appendix_b() -> None:
    assert code_challenge(APPENDIX_B_VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(st.binary(min_size=32, max_size=96))
def test_a_verifier_keeps_to_the_grammar_of_section_4_1(random_bytes: bytes) -> None:
    verifier = code_verifier(random_bytes).reveal()

    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)


@given(st.binary(min_size=32, max_size=96))
def test_a_server_computes_the_same_challenge(random_bytes: bytes) -> None:
    verifier = code_verifier(random_bytes)

    digest = hashlib.sha256(verifier.reveal().encode()).digest()
    assert base64.urlsafe_b64decode(code_challenge(verifier) + "=") == digest


@pytest.mark.parametrize("size", [0, 1, 16, 31, 97, 1000])
def test_a_verifier_is_not_made_from_too_little_or_too_much(size: int) -> None:
    with pytest.raises(ValueError, match="32 to 96"):
        code_verifier(bytes(size))
