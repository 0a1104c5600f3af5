"""Text of servers, made safe to log and to show."""

import pytest
from hypothesis import given, strategies as st

from webex_oauth.oauth.http import read_text


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        ("try again later", "try again later"),
        ("  two\tlines\r\nand more  ", "two lines and more"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\u202eb\u2066c\u200bd", "a b c d"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("half \ud800 surrogate", "half surrogate"),
        ("für 東京", "für 東京"),
        ("private \ue000 unassigned \u0378 wide\u3000space", "private unassigned wide space"),
        ("{{7*7}} %(x)s {0}", "{{7*7}} %(x)s {0}"),
        ("", None),
        (" \r\n\x00", None),
        (None, None),
        (7, None),
        (True, None),
        (["text"], None),
        ({"text": 1}, None),
        (b"text", None),
    ],
)
def test_text_becomes_one_line(stated: object, text: str | None) -> None:
    assert read_text(stated) == text


def test_text_has_an_end() -> None:
    assert read_text("a" * 100_000) == "a" * 500
    assert read_text("a" * 499 + " b") == "a" * 499


@given(st.text(alphabet=st.characters(codec=None)))
def test_no_text_carries_what_cannot_be_seen(stated: str) -> None:
    text = read_text(stated) or ""

    assert len(text) <= 500
    assert text.isprintable()
    assert text == text.strip()
    assert text.encode("utf-8").decode("utf-8") == text
