"""Scopes in plain words."""

import re

import pytest

from webex_oauth.webex.scopes import (
    ALL,
    KMS,
    OPENID,
    PEOPLE_READ,
    ROOMS_READ,
    SCOPES,
    describe,
    permits,
)

MEETINGS = "meeting:schedules_read"


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_is_described_in_words(scope: str) -> None:
    assert re.fullmatch(r"[A-Za-z-]+(:[a-z_]+)?", scope)
    assert re.fullmatch(r"[A-Z][A-Za-z ,'-]+", describe(scope))


def test_no_two_scopes_are_described_alike() -> None:
    assert len(set(SCOPES.values())) == len(SCOPES)


def test_an_unknown_scope_is_named_and_not_invented() -> None:
    assert describe("spark:new_thing") == (
        "Use the permission “spark:new_thing”, which is not described here"
    )


@pytest.mark.parametrize(
    ("granted", "scope", "is_permitted"),
    [
        ({ROOMS_READ}, ROOMS_READ, True),
        ({ROOMS_READ}, PEOPLE_READ, False),
        (frozenset[str](), PEOPLE_READ, False),
        *(({ALL}, scope, True) for scope in (PEOPLE_READ, KMS)),
        *(({ALL}, scope, False) for scope in ("spark-admin:people_read", OPENID)),
        *(({ALL}, scope, False) for scope in ("spark-compliance:rooms_read", MEETINGS)),
        (None, PEOPLE_READ, True),
    ],
)
def test_a_scope_is_permitted_by_itself_or_by_all(
    granted: set[str] | None, scope: str, *, is_permitted: bool
) -> None:
    assert permits(granted, scope) is is_permitted
