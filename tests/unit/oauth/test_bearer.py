"""Bearer tokens and their header (RFC 6750)."""

import pytest
from hypothesis import given, strategies as st

from webex_oauth.oauth.token import authorization_header, read_token
from webex_oauth.secret import Secret


def test_the_header_is_the_one_of_section_2_1() -> None:
    assert authorization_header(Secret("mF_9.B5f-4.1JqM")) == "Bearer mF_9.B5f-4.1JqM"


@pytest.mark.parametrize(
    "token", ["", " ", "a b", "a\r\nX-Evil: 1", "a\n", "a\x00", "é", "\ud800", "a" * 16_385]
)
def test_a_token_that_could_change_the_request_is_not_sent(token: str) -> None:
    assert read_token(token) is None
    with pytest.raises(ValueError, match="could not stand in a header"):
        authorization_header(Secret(token))


@pytest.mark.parametrize("value", [None, 7, True, b"token", ["token"]])
def test_what_is_not_text_is_no_token(value: object) -> None:
    assert read_token(value) is None


def test_the_longest_token_is_sent() -> None:
    assert read_token("a" * 16_384) == Secret("a" * 16_384)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
def test_visible_ascii_is_sent_as_it_is(token: str) -> None:
    assert authorization_header(Secret(token)).removeprefix("Bearer ") == token
