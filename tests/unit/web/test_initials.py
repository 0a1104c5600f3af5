"""Initials."""

import pytest
from hypothesis import given, settings
from hypothesis.strategies import text

from webex_oauth.web.rendering import initials


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Mira Ito", "MI"),
        ("mira", "M"),
        ("Ana de la Cruz", "AC"),
        ("“Al” (Alfred) Ørsted", "AØ"),
        ("李 小龍", "李小"),
        ("R2-D2", "R"),
        ("🎉 🎉", "?"),
        ("", "?"),
    ],
)
def test_initials_are_of_the_first_and_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters


@settings(deadline=None)
@given(text())
def test_any_name_has_initials_that_fit(name: str) -> None:
    letters = initials(name)

    assert letters == "?" or letters.upper() == letters
    assert 1 <= len(letters) <= 6
