"""Records: how long they live, and that a sealed one opens in its own place alone."""

import os

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace
from unit.vault.fakes import ISSUER, NOW, alice, signed_in, tokens

from webex_oauth.errors import AttemptForeign, SealBroken
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import (
    LONGEST_WAIT_SECONDS,
    NO_TROUBLE,
    Attempt,
    Grant,
    Lease,
    Profile,
    Session,
    Trouble,
    digest,
    grant_key,
    keep_at,
    new_version,
    open_attempt,
    seal_attempt,
)
from webex_oauth.vault.rows import Kind
from webex_oauth.vault.sealing import Context, Envelope, Key, KeyRing, Sealer

DAY_SECONDS = 86_400
IDLE_SECONDS = 1_800
SEALER = Sealer(KeyRing(Key("one", bytes(range(32)))), os.urandom)
LEDGER = Ledger(MemoryRows(), SEALER, IDLE_SECONDS)
STATE = b"s" * 32
ATTEMPT = Attempt(
    Secret("verifier-canary"),
    "/listrooms?a=1",
    b"t" * 32,
    NOW + 600,
)
BARE = TokenSet(Secret("access-canary"), None, None, None, None)
GRANTS = [
    alice(tokens(), NOW),
    alice(BARE),
    replace(
        alice(tokens(), NOW),
        version=2**60,
        rotates=True,
        reauth_reason="refresh_token_refused",
        is_access_refused=True,
        keep_at=NOW + 9,
        lease=Lease(b"owner", NOW + 5),
        trouble=Trouble(1, 2, NOW + 3),
    ),
]


# What is sealed


@pytest.mark.parametrize("grant", GRANTS)
def test_a_grant_opens_as_it_was_sealed(grant: Grant) -> None:
    assert LEDGER.open_grant(grant.key, LEDGER.seal_grant(grant)) == grant


def test_an_attempt_opens_as_it_was_sealed_and_fits_into_a_cookie() -> None:
    cookie = seal_attempt(SEALER, ATTEMPT, STATE)

    assert open_attempt(SEALER, cookie, STATE) == ATTEMPT
    assert cookie.reveal().replace("-", "").replace("_", "").isalnum()


@pytest.mark.check("F02")
@pytest.mark.parametrize("cookie", [None, Secret(""), Secret("é"), Secret("AAAA")])
def test_a_cookie_that_was_not_sealed_is_no_attempt(cookie: Secret | None) -> None:
    with pytest.raises(AttemptForeign):
        open_attempt(SEALER, cookie, STATE)


@pytest.mark.check("F02")
def test_an_attempt_does_not_open_for_another_state() -> None:
    cookie = seal_attempt(SEALER, ATTEMPT, STATE)

    with pytest.raises(AttemptForeign):
        open_attempt(SEALER, cookie, b"x" * 32)


@pytest.mark.check("F02")
def test_one_persons_tokens_do_not_open_in_anothers_row() -> None:
    body = LEDGER.seal_grant(GRANTS[0])

    with pytest.raises(SealBroken):
        LEDGER.open_grant(grant_key(ISSUER, "bob"), body)


async def all_bodies() -> list[tuple[Kind, bytes, bytes]]:
    """Return kind, name and body of a row of each kind that a sign-in writes."""
    rows = MemoryRows()
    fixture = await signed_in()
    fixture.ledger = Ledger(rows, SEALER, IDLE_SECONDS)
    await fixture.admit(tokens())
    return [(row.kind, row.name, row.body) for row in rows._rows.values()]


@pytest.mark.anyio
@pytest.mark.check("F02")
async def test_a_row_opens_as_its_own_kind_under_its_own_name_alone() -> None:
    """Rows written before an upgrade must open after it: what they are bound to stays the same."""
    bodies = await all_bodies()

    assert {kind for kind, _, _ in bodies} == {Kind.STATE, Kind.SESSION, Kind.GRANT, Kind.EVENT}
    for kind, name, body in bodies:
        assert SEALER.open(body, Context(kind.value, name))
        for other in Kind:
            if other is not kind:
                with pytest.raises(SealBroken):
                    SEALER.open(body, Context(other.value, name))
        with pytest.raises(SealBroken):
            SEALER.open(body, Context(kind.value, name[:-1] + bytes([name[-1] ^ 1])))


@pytest.mark.anyio
async def test_no_secret_is_in_a_row_or_a_repr() -> None:
    for _, _, body in await all_bodies():
        assert b"access-1" not in body
        assert b"refresh-1" not in body
    assert "canary" not in repr((ATTEMPT, alice(BARE)))
    assert b"canary" not in LEDGER.seal_grant(alice(BARE))


CONTEXT = Context(kind="note", name=b"")


@pytest.mark.parametrize(("written", "read"), [("text", int), (5, Secret)])
def test_a_seal_around_something_else_is_broken(written: object, read: type) -> None:
    sealed = Envelope(type(written)).seal(SEALER, written, CONTEXT)

    with pytest.raises(SealBroken, match="does not read"):
        Envelope(read).open(SEALER, sealed, CONTEXT)


def test_an_envelope_holds_no_unknown_things() -> None:
    with pytest.raises(NotImplementedError, match="object has no place"):
        Envelope(object).seal(SEALER, object(), CONTEXT)


# Versions of a grant


def test_a_new_version_follows_the_one_that_it_replaces() -> None:
    first = new_version(alice(tokens()), None, os.urandom)
    troubled = replace(first, lease=Lease(b"me", NOW), trouble=Trouble(1, 1, NOW))

    second = new_version(troubled, first, os.urandom)

    assert second.version == first.version + 1
    assert (second.lease, second.trouble) == (None, NO_TROUBLE)


def test_a_grant_given_again_never_meets_a_version_it_had_before() -> None:
    versions = {new_version(alice(tokens()), None, os.urandom).version for _ in range(1_000)}

    assert len(versions) == 1_000
    assert min(versions) > 0
    assert max(versions) < 2**62


@pytest.mark.parametrize(
    ("changes", "ends_at"),
    [
        ({}, NOW + 2),
        ({"access_expires_at": NOW + 3}, NOW + 3),
        ({"refresh_token": None}, NOW + 1),
        ({"refresh_expires_at": None}, None),
        ({"access_expires_at": None}, None),
        ({"refresh_token": None, "access_expires_at": None}, None),
    ],
)
def test_a_grant_ends_with_its_last_token(
    changes: dict[str, int | None], ends_at: int | None
) -> None:
    held = replace(tokens(lives_for=1), refresh_expires_at=NOW + 2)

    assert alice(replace(held, **changes)).ends_at == ends_at


def test_a_grant_is_due_while_it_can_be_renewed() -> None:
    issued = replace(tokens(), refresh_expires_at=NOW + 2)
    grant = alice(issued, NOW - 600)

    due_at = new_version(grant, None, os.urandom).keep_at

    assert due_at is not None
    assert NOW - 600 + 301 <= due_at <= NOW - 600 + 402
    needed = replace(grant, reauth_reason="any")
    assert new_version(needed, None, os.urandom).keep_at is None


def test_grants_that_were_issued_together_are_not_due_together() -> None:
    grant = alice(replace(tokens(), refresh_expires_at=NOW + 7_776_000), NOW)

    assert len({new_version(grant, None, os.urandom).keep_at for _ in range(100)}) > 90


@given(share=st.floats(0, 1), life_seconds=st.integers(1, 90 * DAY_SECONDS))
def test_a_grant_is_kept_after_half_to_two_thirds_of_its_refresh_tokens_life(
    share: float, life_seconds: int
) -> None:
    issued = replace(tokens(), refresh_expires_at=NOW + life_seconds)

    at = keep_at(issued, NOW, share)

    assert at is not None
    assert life_seconds // 2 <= at - NOW <= life_seconds * 2 / 3


@pytest.mark.parametrize(
    ("ends_at", "share", "at"),
    [
        (None, 0, NOW + 20 * DAY_SECONDS),
        (None, 1, NOW + 15 * DAY_SECONDS),
        (NOW + 400 * DAY_SECONDS, 0, NOW + LONGEST_WAIT_SECONDS),
        (NOW - 10, 0, NOW),
    ],
)
@pytest.mark.bound("wait until a grant is renewed")
def test_no_grant_waits_longer_than_sixty_days_and_a_month_where_nothing_is_known(
    ends_at: int | None, share: float, at: int
) -> None:
    assert keep_at(replace(tokens(), refresh_expires_at=ends_at), NOW, share) == at
    assert LONGEST_WAIT_SECONDS == 60 * DAY_SECONDS


def test_without_a_refresh_token_there_is_nothing_to_keep() -> None:
    assert keep_at(tokens(refresh=None), NOW, 0) is None


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_no_two_persons_share_a_key(issuer: str, subject: str, other: str, another: str) -> None:
    is_same_key = grant_key(issuer, subject) == grant_key(other, another)

    assert is_same_key == ((issuer, subject) == (other, another))


def test_a_key_does_not_slide_between_issuer_and_subject() -> None:
    assert grant_key("ab", "c") != grant_key("a", "bc")


# The life of a session

SESSION = Session(
    digest=digest(Secret("session-canary")),
    grant_key=grant_key(ISSUER, "alice"),
    profile=Profile(),
    created_at=NOW,
    seen_at=NOW,
    expires_at=NOW + 28_800,
)


@pytest.mark.parametrize(
    ("seen_after", "asked_after", "expected"),
    [
        (0, 0, True),
        (0, IDLE_SECONDS - 1, True),
        (0, IDLE_SECONDS, False),
        (0, IDLE_SECONDS + 1, False),
        (1_000, IDLE_SECONDS + 999, True),
        (1_000, IDLE_SECONDS + 1_000, False),
        (28_799, 28_799, True),
        (28_799, 28_800, False),
        (28_800, 28_801, False),
        (0, -60, True),
        # The clock of the machine that saw it may be a minute ahead.
        (2 * IDLE_SECONDS + 60, 2 * IDLE_SECONDS, True),
    ],
)
def test_a_session_lives_while_it_is_used_and_until_its_end(
    seen_after: int, asked_after: int, *, expected: bool
) -> None:
    session = replace(SESSION, seen_at=NOW + seen_after)

    assert session.is_live(NOW + asked_after, IDLE_SECONDS) is expected


@pytest.mark.parametrize("ahead", [61, 28_800, 400 * 86_400, 2**36])
def test_a_session_that_was_seen_in_the_future_counts_from_its_start(ahead: int) -> None:
    early, late = NOW + IDLE_SECONDS - 1, NOW + IDLE_SECONDS

    assert replace(SESSION, seen_at=early + ahead).is_live(early, IDLE_SECONDS)
    assert not replace(SESSION, seen_at=late + ahead).is_live(late, IDLE_SECONDS)


@pytest.mark.parametrize(
    ("after", "idle_seconds", "expected"),
    [(59, 1_800, False), (60, 1_800, True), (0, 1_800, False), (10, 100, True), (9, 100, False)],
)
def test_use_is_written_down_once_a_minute_or_ten_times_before_it_counts_as_idle(
    after: int, idle_seconds: int, *, expected: bool
) -> None:
    assert SESSION.is_touch_due(NOW + after, idle_seconds) is expected
