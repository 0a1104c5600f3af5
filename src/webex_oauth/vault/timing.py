"""How long the steps of a refresh may take, and that a lease outlives them."""

from dataclasses import dataclass

from webex_oauth.ports import TOKEN_LIMITS

COMMIT_TRIES = 3
SPOOL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Bound every step, in seconds.

    `store_seconds` is what one call of a store takes at most, `look_again_seconds` how long a
    refusal waits for tokens that somebody else may be about to write, `wait_seconds` how long a
    caller waits for another process; it looks first after `first_poll_seconds`, then ever less
    often up to `last_poll_seconds`.
    """

    lease_seconds: int = 30
    request_seconds: float = TOKEN_LIMITS.deadline_seconds
    store_seconds: float = 2.0
    look_again_seconds: float = 2.0
    wait_seconds: float = 12.0
    first_poll_seconds: float = 0.05
    last_poll_seconds: float = 0.5

    def __post_init__(self) -> None:
        if self.lease_seconds <= self._claim_seconds:
            raise ValueError(
                f"a lease of {self.lease_seconds} s ends before a refresh of up to "
                f"{self._claim_seconds:g} s does"
            )

    @property
    def after_answer_seconds(self) -> float:
        """What follows an answer at most: looking again, writing and reading in turn, the spool."""
        writing_seconds = 2 * COMMIT_TRIES * self.store_seconds
        return self.look_again_seconds + writing_seconds + SPOOL_SECONDS

    @property
    def flight_seconds(self) -> float:
        """Everything at most: waiting, then two claims, the second for a replay."""
        return self.wait_seconds + 2 * (self.store_seconds + self._claim_seconds)

    @property
    def _claim_seconds(self) -> float:
        """From asking for the lease to the last write under it."""
        return self.store_seconds + self.request_seconds + self.after_answer_seconds
