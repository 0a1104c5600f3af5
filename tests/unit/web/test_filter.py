"""The filter of the spaces: what people do not tell apart is the same."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from webex_oauth.web.listrooms import _folded


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("team", "TEAM Blue"),
        ("STRASSE", "Hauptstraße"),
        ("\uff54\uff45\uff41\uff4d", "Team"),
        ("Cafe\u0301", "Café"),
        ("\ufb01nance", "Finance"),
        ("①", "Room 1"),
    ],
)
def test_a_title_is_found_however_it_is_typed(typed: str, title: str) -> None:
    assert _folded(typed) in _folded(title)


@pytest.mark.parametrize(
    ("typed", "title"), [("team", "tea"), ("e", "a"), (".*", "Team"), ("%", "a")]
)
def test_another_title_is_not_found(typed: str, title: str) -> None:
    assert _folded(typed) not in _folded(title)


@pytest.mark.check("I07")
@given(st.text())
def test_every_title_is_found_by_itself_and_by_its_other_spellings(title: str) -> None:
    folded = _folded(title)

    assert folded == _folded(unicodedata.normalize("NFC", title))
    assert folded == _folded(unicodedata.normalize("NFD", title))


@pytest.mark.check("I07")
@given(st.text(), st.text(), st.text())
def test_a_part_of_a_folded_title_is_found(before: str, typed: str, after: str) -> None:
    title = f"{before} {typed} {after}"

    assert _folded(typed).strip() in _folded(title)
