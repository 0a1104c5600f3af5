"""An attempt: one sign-in under way, used once, by the browser that started it."""

import hmac
from dataclasses import dataclass
from enum import StrEnum

from webex_oauth.errors import AttemptForeign, AttemptInProgress, AttemptUnknown
from webex_oauth.secret import Secret
from webex_oauth.vault.records import AttemptRecord, FinishedAttempt, instant
from webex_oauth.vault.row_values import check_row, is_bytes, is_instant, or_none, unreadable
from webex_oauth.vault.sealing import Context, Envelope, Sealer

TOMBSTONE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a sign-in must remember between the way to Webex and the way back."""

    verifier: Secret
    return_to: str
    issuer: str
    redirect_uri: str
    scopes: tuple[str, ...]


class AttemptState(StrEnum):
    """Say how far an attempt has come."""

    OPEN = "open"
    TAKEN = "taken"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class HeldAttempt:
    """An attempt as a store holds it, until `kept_until`.

    A finished one has the digest of the session that it brought, or None.
    """

    record: AttemptRecord
    kept_until: int
    state: AttemptState = AttemptState.OPEN
    session_digest: bytes | None = None

    def __post_init__(self) -> None:
        check_row(
            "attempt",
            self.record.state_digest,
            (self.kept_until, is_instant),
            (self.session_digest, or_none(is_bytes)),
        )


def read_state(record: AttemptRecord, state: object) -> AttemptState:
    """Read how far an attempt has come; raise SealBroken for what is no state."""
    if state not in list(AttemptState):
        raise unreadable("attempt", record.state_digest)
    return AttemptState(str(state))


_ENVELOPE = Envelope(Attempt)


def seal_attempt(
    sealer: Sealer, attempt: Attempt, state_digest: bytes, browser_digest: bytes, expires_at: int
) -> AttemptRecord:
    """Seal *attempt* for the store, bound to its state, its browser and its end."""
    context = _context(state_digest, browser_digest, expires_at)
    sealed = _ENVELOPE.seal(sealer, attempt, context)
    return AttemptRecord(state_digest, browser_digest, sealed, expires_at)


def open_attempt(sealer: Sealer, record: AttemptRecord) -> Attempt:
    """Open *record*; raise SealBroken or KeyUnavailable."""
    return _ENVELOPE.open(sealer, record.sealed, attempt_context(record))


def attempt_context(record: AttemptRecord) -> Context:
    """Say what the seal of *record* is bound to."""
    return _context(record.state_digest, record.browser_digest, record.expires_at)


def check_time(record: AttemptRecord, now: int) -> None:
    """Raise AttemptUnknown when the attempt is over by its own, sealed end."""
    if record.expires_at <= now:
        raise AttemptUnknown("the attempt is over")


def check_attempt(
    held: HeldAttempt | None, browser_digest: bytes
) -> AttemptRecord | FinishedAttempt:
    """Give the record when this browser may take the attempt now, or how it finished before.

    *held* is None when the store has no such attempt or its time is over. Raises AttemptUnknown,
    AttemptForeign or AttemptInProgress.
    """
    if held is None:
        raise AttemptUnknown("no open attempt has this state")
    if not hmac.compare_digest(held.record.browser_digest, browser_digest):
        raise AttemptForeign("the attempt was started in another browser")
    if held.state is AttemptState.FINISHED:
        return FinishedAttempt(held.record, held.session_digest)
    if held.state is AttemptState.TAKEN:
        raise AttemptInProgress("the attempt is being completed")
    return held.record


def _context(state_digest: bytes, browser_digest: bytes, expires_at: int) -> Context:
    row = (state_digest, browser_digest, instant(expires_at))
    return Context(kind="attempt", row=row, field="attempt", version=1)
