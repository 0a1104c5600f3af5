"""How long the steps of a refresh may take, and that a lease outlives a step that is held up."""

from dataclasses import dataclass

from webex_oauth.ports import TOKEN_LIMITS

COMMIT_TRIES = 3
SPOOL_SECONDS = 1.0
CLOCK_SECONDS = 1
"""What a clock that tells whole seconds may be behind."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Bound every step, in seconds.

    A lease lasts `lease_seconds` and is renewed every `beat_seconds` while its holder lives.
    `takeover_seconds` is how long the next holder waits for tokens that the one before it may be
    about to write. `store_seconds` is what one call of a store takes at most, `look_again_seconds`
    how long a refusal waits for tokens that somebody else may be about to write, `wait_seconds`
    how long a caller waits for another process; it looks first after `first_poll_seconds`, then
    ever less often up to `last_poll_seconds`.
    """

    lease_seconds: int = 5
    beat_seconds: float = 1.0
    takeover_seconds: float = 1.5
    request_seconds: float = TOKEN_LIMITS.deadline_seconds
    store_seconds: float = 2.0
    look_again_seconds: float = 2.0
    wait_seconds: float = 2.0
    first_poll_seconds: float = 0.05
    last_poll_seconds: float = 0.5

    def __post_init__(self) -> None:
        renewal_seconds = self.beat_seconds + self.store_seconds + CLOCK_SECONDS
        if self.lease_seconds <= renewal_seconds:
            raise ValueError(
                f"a lease of {self.lease_seconds} s ends before a renewal that takes up to "
                f"{renewal_seconds:g} s"
            )

    @property
    def flight_seconds(self) -> float:
        """Everything at most: waiting, then two claims, the second for a replay."""
        return self.wait_seconds + 2 * (self.store_seconds + self._claim_seconds)

    @property
    def _claim_seconds(self) -> float:
        """From asking for the lease to the last write under it."""
        writing_seconds = 2 * COMMIT_TRIES * self.store_seconds
        before_seconds = 2 * self.store_seconds + self.takeover_seconds
        after_seconds = self.look_again_seconds + writing_seconds + SPOOL_SECONDS
        return before_seconds + self.request_seconds + after_seconds
