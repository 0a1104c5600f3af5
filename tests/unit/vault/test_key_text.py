"""What a key file may say."""

import base64
import os

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import KeyUnavailable
from webex_oauth.vault.key_text import HEADER, key_line, read_keys

ONE, TWO = os.urandom(32), os.urandom(32)


def encoded(material: bytes) -> str:
    return base64.urlsafe_b64encode(material).decode()


def test_a_line_that_was_written_is_read() -> None:
    assert read_keys(HEADER + key_line("one", ONE), "keys").primary.id == "one"


def test_the_first_key_is_the_primary_one() -> None:
    ring = read_keys(key_line("one", ONE) + key_line("two", TWO), "keys")

    assert ring.primary.id == "one"
    assert ring.find("two").id == "two"


def test_comments_and_empty_lines_are_passed_over() -> None:
    text = f"# a comment\n\n  \n{key_line('one', ONE)}# another\n"

    assert read_keys(text, "keys").others == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no key"),
        (HEADER, "holds no key"),
        ("changeme", "line 1 is not"),
        ("one changeme", "not base64url|bytes"),
        ("one " + "changeme" * 4, "24 bytes and not 32"),
        ("one " + encoded(b"changeme" * 4), "placeholder"),
        ("one " + encoded(bytes(32)), "placeholder"),
        ("one " + encoded(b"\xff" * 32), "placeholder"),
        ("one " + encoded(ONE[:16]), "16 bytes and not 32"),
        ("one " + encoded(ONE + ONE), "64 bytes and not 32"),
        ("one " + encoded(ONE)[:-1], "not base64url"),
        ("one " + encoded(ONE)[:20] + "!" + encoded(ONE)[20:], "not base64url"),
        ("one é" + encoded(ONE), "not base64url"),
        ("one two " + encoded(ONE), "line 1 is not"),
        (encoded(ONE), "line 1 is not"),
        ("o/e " + encoded(ONE), "key id"),
        (key_line("one", ONE) * 2, "line 2: a second key 'one'"),
        (key_line("one", ONE) + "two", "line 2 is not"),
    ],
)
def test_a_key_file_with_a_mistake_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(KeyUnavailable, match=complaint) as refusal:
        read_keys(text, "keys")

    assert str(refusal.value).startswith("keys")
    assert encoded(ONE)[:12] not in str(refusal.value)


@given(st.text(max_size=200))
def test_any_text_is_a_ring_or_refused(text: str) -> None:
    try:
        ring = read_keys(text, "keys")
    except KeyUnavailable:
        return

    assert ring.find(ring.primary.id) is ring.primary
