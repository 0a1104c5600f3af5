"""What a sealed row is bound to: whose it is, where it is and which version it is."""

import os
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import SealBroken
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.attempts import Attempt, attempt_context, open_attempt, seal_attempt
from webex_oauth.vault.grants import Grant, grant_context, open_grant, seal_grant
from webex_oauth.vault.records import (
    AttemptRecord,
    GrantRecord,
    SessionRecord,
    digest,
    grant_key,
)
from webex_oauth.vault.sealing import Context, Envelope, Key, KeyRing, Sealer
from webex_oauth.vault.sessions import (
    Profile,
    Session,
    open_session,
    seal_session,
    session_context,
)

NOW = 1_800_000_000
ISSUER = "https://idbroker.example"
SEALER = Sealer(KeyRing(Key("one", bytes(range(32)))), os.urandom)
TOKENS = TokenSet(
    access_token=Secret("access-canary"),
    access_expires_at=NOW + 1,
    refresh_token=Secret("refresh-canary"),
    refresh_expires_at=NOW + 2,
    scopes=frozenset({"spark:rooms_read"}),
)
ALICE = Grant(ISSUER, "alice", TOKENS, frozenset({"spark:rooms_read"}))
BOB = replace(ALICE, subject="bob", reauth_reason="refresh_token_refused")
ATTEMPT = Attempt(
    Secret("verifier-canary"), "/listrooms?a=1", ISSUER, "http://localhost/oauth", ("one", "two")
)
SESSION = Session(
    digest=digest(Secret("session-canary")),
    grant_key=grant_key(ISSUER, "alice"),
    profile=Profile("id", "Alice", "alice@example.com", None, "org"),
    created_at=NOW,
    seen_at=NOW + 5,
    expires_at=NOW + 10,
    browser="Firefox on Linux",
)


def attempt_record() -> AttemptRecord:
    return seal_attempt(SEALER, ATTEMPT, b"s" * 32, b"b" * 32, NOW)


@pytest.mark.parametrize("grant", [ALICE, BOB])
def test_a_grant_opens_as_it_was_sealed(grant: Grant) -> None:
    assert open_grant(SEALER, seal_grant(SEALER, grant, None)) == grant


def test_a_grant_with_nothing_optional_opens_as_it_was_sealed() -> None:
    bare = replace(ALICE, tokens=TokenSet(Secret("access"), None, None, None, None))

    assert open_grant(SEALER, seal_grant(SEALER, bare, None)) == bare


def test_an_attempt_opens_as_it_was_sealed() -> None:
    assert open_attempt(SEALER, attempt_record()) == ATTEMPT


def test_a_session_opens_as_it_was_sealed() -> None:
    assert open_session(SEALER, seal_session(SEALER, SESSION)) == SESSION


def test_a_session_opens_after_it_was_seen_again() -> None:
    record = replace(seal_session(SEALER, SESSION), seen_at=NOW + 9)

    assert open_session(SEALER, record) == replace(SESSION, seen_at=NOW + 9)


def test_what_a_seal_is_bound_to_stays_the_same_over_releases() -> None:
    """Otherwise rows written before an upgrade no longer open after it."""
    grant, attempt = seal_grant(SEALER, ALICE, None), attempt_record()
    session = seal_session(SEALER, SESSION)
    start, end, over = (at.to_bytes(8, "big") for at in (NOW, NOW + 10, attempt.expires_at))

    assert grant_context(grant) == Context("grant", (grant.key,), "grant", grant.version)
    assert attempt_context(attempt) == Context(
        "attempt", (b"s" * 32, b"b" * 32, over), "attempt", 1
    )
    session_row = (SESSION.digest, SESSION.grant_key, start, end)
    assert session_context(session) == Context("session", session_row, "profile", 1)


def test_no_secret_is_in_a_row_or_its_repr() -> None:
    rows = (seal_grant(SEALER, ALICE, None), attempt_record(), seal_session(SEALER, SESSION))

    for row in rows:
        assert b"canary" not in row.sealed
        assert "canary" not in repr(row)
    assert "canary" not in repr((ALICE, ATTEMPT, SESSION))


@pytest.mark.check("F02")
def test_one_persons_tokens_do_not_open_in_anothers_row() -> None:
    alice = seal_grant(SEALER, ALICE, None)
    bob = replace(seal_grant(SEALER, BOB, None), sealed=alice.sealed, version=alice.version)

    with pytest.raises(SealBroken):
        open_grant(SEALER, bob)


@pytest.mark.check("F02")
def test_old_tokens_do_not_open_as_a_later_version() -> None:
    old = seal_grant(SEALER, ALICE, None)
    new = seal_grant(SEALER, ALICE, old)

    with pytest.raises(SealBroken):
        open_grant(SEALER, replace(new, sealed=old.sealed))


def swapped_session(field: str) -> SessionRecord:
    record = seal_session(SEALER, SESSION)
    other = {
        "digest": replace(record, digest=b"d" * 32),
        "grant_key": replace(record, grant_key=grant_key(ISSUER, "bob")),
        "created_at": replace(record, created_at=NOW + 1),
        "expires_at": replace(record, expires_at=NOW + 1_000_000),
    }
    return other[field]


@pytest.mark.parametrize("field", ["digest", "grant_key", "created_at", "expires_at"])
@pytest.mark.check("F02")
def test_a_session_cannot_be_moved_or_lengthened_in_the_store(field: str) -> None:
    with pytest.raises(SealBroken):
        open_session(SEALER, swapped_session(field))


@pytest.mark.parametrize("field", ["state_digest", "browser_digest"])
@pytest.mark.check("F02")
def test_an_attempt_cannot_be_given_to_another_browser_in_the_store(field: str) -> None:
    record = attempt_record()
    moved = {
        "state_digest": replace(record, state_digest=b"x" * 32),
        "browser_digest": replace(record, browser_digest=b"x" * 32),
    }[field]

    with pytest.raises(SealBroken):
        open_attempt(SEALER, moved)


def test_a_session_does_not_open_as_a_grant() -> None:
    session = seal_session(SEALER, SESSION)

    with pytest.raises(SealBroken):
        open_grant(SEALER, GrantRecord(session.grant_key, 1, session.sealed, None, None))


def test_a_seal_around_something_else_is_broken() -> None:
    context = Context(kind="note", row=(), field="text", version=1)
    sealed = Envelope(str).seal(SEALER, "text", context)

    with pytest.raises(SealBroken, match="does not read"):
        Envelope(int).open(SEALER, sealed, context)


def test_a_secret_that_is_no_text_is_broken() -> None:
    context = Context(kind="note", row=(), field="text", version=1)
    sealed = Envelope(int).seal(SEALER, 5, context)

    with pytest.raises(SealBroken, match="does not read"):
        Envelope(Secret).open(SEALER, sealed, context)


def test_an_envelope_holds_no_unknown_things() -> None:
    context = Context(kind="note", row=(), field="text", version=1)

    with pytest.raises(NotImplementedError, match="object has no place"):
        Envelope(object).seal(SEALER, object(), context)


def test_versions_grow_by_one() -> None:
    first = seal_grant(SEALER, ALICE, None)

    assert seal_grant(SEALER, ALICE, first).version == first.version + 1


def test_a_grant_given_again_never_meets_a_version_it_had_before() -> None:
    versions = {seal_grant(SEALER, ALICE, None).version for _ in range(1_000)}

    assert len(versions) == 1_000
    assert min(versions) > 0
    assert max(versions) < 2**62


@pytest.mark.parametrize(
    ("tokens", "ends_at"),
    [
        (TOKENS, NOW + 2),
        (replace(TOKENS, access_expires_at=NOW + 3), NOW + 3),
        (replace(TOKENS, refresh_token=None), NOW + 1),
        (replace(TOKENS, refresh_expires_at=None), None),
        (replace(TOKENS, access_expires_at=None), None),
        (replace(TOKENS, refresh_token=None, access_expires_at=None), None),
    ],
)
def test_a_grant_ends_with_its_last_token(tokens: TokenSet, ends_at: int | None) -> None:
    assert seal_grant(SEALER, replace(ALICE, tokens=tokens), None).ends_at == ends_at


def test_a_grant_is_due_while_it_can_be_renewed() -> None:
    alice = replace(ALICE, issued_at=NOW - 600)

    due_at = seal_grant(SEALER, alice, None).keep_at

    assert due_at is not None
    assert NOW - 600 + 301 <= due_at <= NOW - 600 + 402
    assert seal_grant(SEALER, replace(alice, reauth_reason="any"), None).keep_at is None


def test_grants_that_were_issued_together_are_not_due_together() -> None:
    tokens = replace(TOKENS, refresh_expires_at=NOW + 7_776_000)
    alice = replace(ALICE, issued_at=NOW, tokens=tokens)

    assert len({seal_grant(SEALER, alice, None).keep_at for _ in range(100)}) > 90


def test_a_grant_written_by_an_earlier_version_opens() -> None:
    @dataclass(frozen=True)
    class Earlier:
        issuer: str
        subject: str
        tokens: TokenSet
        scopes: frozenset[str]
        reauth_reason: str | None = None

    key = grant_key(ISSUER, "alice")
    record = GrantRecord(key, 3, b"", None, None)
    earlier = Earlier(ISSUER, "alice", TOKENS, ALICE.scopes)
    sealed = Envelope(Earlier).seal(SEALER, earlier, grant_context(record))

    assert open_grant(SEALER, replace(record, sealed=sealed)) == ALICE


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_no_two_persons_share_a_key(issuer: str, subject: str, other: str, another: str) -> None:
    is_same_key = grant_key(issuer, subject) == grant_key(other, another)

    assert is_same_key == ((issuer, subject) == (other, another))


def test_a_key_does_not_slide_between_issuer_and_subject() -> None:
    assert grant_key("ab", "c") != grant_key("a", "bc")
