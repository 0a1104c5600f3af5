"""What a key file may say."""

import base64
import os
from datetime import date

import pytest
from hypothesis import given, strategies as st
from webex_oauth.vault.key_text import (
    HEADER,
    key_line,
    read_days,
    read_keys,
    with_key,
    with_primary,
    without_key,
)

from webex_oauth.errors import KeyUnavailable

ONE, TWO = os.urandom(32), os.urandom(32)


def line(key_id: str, material: bytes) -> str:
    return key_line(key_id, material, date(2027, 1, 15))


def encoded(material: bytes) -> str:
    return base64.urlsafe_b64encode(material).decode()


def test_a_line_that_was_written_is_read() -> None:
    assert read_keys(HEADER + line("one", ONE), "keys").primary.id == "one"


def test_the_first_key_is_the_primary_one() -> None:
    ring = read_keys(line("one", ONE) + line("two", TWO), "keys")

    assert ring.primary.id == "one"
    assert ring.find("two").id == "two"


def test_comments_and_empty_lines_are_passed_over() -> None:
    text = f"# a comment\n\n  \n{line('one', ONE)}# another\n"

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
        (f"one {encoded(TWO)} {encoded(ONE)}", "line 1 is not"),
        (f"one {encoded(ONE)} 2027-01-15 x", "line 1 is not"),
        (encoded(ONE), "line 1 is not"),
        ("o/e " + encoded(ONE), "key id"),
        (line("one", ONE) * 2, "line 2: a second key 'one'"),
        (line("one", ONE) + "two", "line 2 is not"),
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


BOTH = HEADER + line("one", ONE) + "# between\n\n" + line("two", TWO)


def ids(text: str) -> list[str]:
    return [key.id for key in read_keys(text, "keys").keys]


def test_a_day_is_told_where_there_is_one() -> None:
    text = line("one", ONE) + f"two {encoded(TWO)}\n"

    assert read_days(text) == {"one": "2027-01-15"}
    assert ids(text) == ["one", "two"]


def test_an_added_key_comes_last() -> None:
    assert ids(with_key(line("one", ONE), line("two", TWO))) == ["one", "two"]


def test_a_key_is_added_also_below_a_line_without_an_end() -> None:
    assert ids(with_key(line("one", ONE).rstrip(), line("two", TWO))) == ["one", "two"]


@pytest.mark.parametrize("text", [BOTH, BOTH.rstrip()])
def test_the_primary_key_comes_first_below_the_head(text: str) -> None:
    changed = with_primary(text, "two")

    assert ids(changed) == ["two", "one"]
    assert changed.startswith(HEADER)


def test_making_the_primary_key_primary_changes_nothing() -> None:
    assert with_primary(BOTH, "one") == BOTH


@pytest.mark.parametrize(("gone", "stays"), [("one", "two"), ("two", "one")])
def test_a_key_is_taken_out_and_nothing_else(gone: str, stays: str) -> None:
    changed = without_key(BOTH, gone)

    assert ids(changed) == [stays]
    assert "# between" in changed
