"""What a refresh leaves out stays as it was (RFC 6749 section 6)."""

from dataclasses import replace

from hypothesis import given, strategies as st

from webex_oauth.oauth.token import TokenSet, merge_tokens
from webex_oauth.secret import Secret

TOKENS = st.sampled_from(["one", "two", "three"]).map(Secret)
INSTANTS = st.none() | st.integers(0, 2**40)
SCOPES = st.none() | st.frozensets(st.sampled_from(["a", "b", "c"]))
TOKEN_SETS = st.builds(TokenSet, TOKENS, INSTANTS, st.none() | TOKENS, INSTANTS, SCOPES)
OLD = TokenSet(Secret("a1"), 100, Secret("r1"), 900, frozenset({"a"}))
NEW = TokenSet(Secret("a2"), 200, Secret("r2"), 990, frozenset({"b"}))


def test_what_is_new_replaces_what_is_old() -> None:
    assert merge_tokens(OLD, NEW) == NEW


def test_a_missing_refresh_token_keeps_the_old_one_and_its_end() -> None:
    new = replace(NEW, refresh_token=None, refresh_expires_at=None)

    merged = merge_tokens(OLD, new)

    assert (merged.refresh_token, merged.refresh_expires_at) == (Secret("r1"), 900)


def test_a_new_end_moves_the_end_of_an_old_refresh_token() -> None:
    merged = merge_tokens(OLD, replace(NEW, refresh_token=None))

    assert (merged.refresh_token, merged.refresh_expires_at) == (Secret("r1"), 990)


def test_the_same_refresh_token_without_an_end_keeps_its_end() -> None:
    merged = merge_tokens(OLD, replace(NEW, refresh_token=Secret("r1"), refresh_expires_at=None))

    assert merged.refresh_expires_at == 900


def test_another_refresh_token_does_not_inherit_the_end() -> None:
    assert merge_tokens(OLD, replace(NEW, refresh_expires_at=None)).refresh_expires_at is None


def test_an_access_token_does_not_inherit_the_end() -> None:
    assert merge_tokens(OLD, replace(NEW, access_expires_at=None)).access_expires_at is None


@given(TOKEN_SETS, TOKEN_SETS)
def test_a_refresh_never_loses_the_refresh_token_or_the_scopes(
    old: TokenSet, new: TokenSet
) -> None:
    merged = merge_tokens(old, new)

    assert merged.access_token == new.access_token
    assert (merged.refresh_token is None) is (old.refresh_token is new.refresh_token is None)
    assert (merged.scopes is None) is (old.scopes is new.scopes is None)


@given(TOKEN_SETS, TOKEN_SETS)
def test_merging_twice_changes_nothing_more(old: TokenSet, new: TokenSet) -> None:
    merged = merge_tokens(old, new)

    assert merge_tokens(old, merged) == merged
    assert merge_tokens(merged, merged) == merged
