"""How long nobody asks again after a failure."""

import pytest
from hypothesis import given, strategies as st

from webex_oauth.vault.cooldown import EndpointCooldown, Trouble, is_cooling, retry_at

NOW = 1_800_000_000
FAILED = Trouble(concerns_all=True)
SHARES = st.floats(0, 1)


@pytest.mark.check("B22")
@given(failure_count=st.integers(1, 10_000), share=SHARES)
def test_a_wait_doubles_up_to_five_minutes(failure_count: int, share: float) -> None:
    longest_seconds = min(300, 2 ** (failure_count - 1))

    wait_seconds = retry_at(Trouble(), failure_count, NOW, share) - NOW

    assert max(1, longest_seconds // 2) <= wait_seconds <= longest_seconds


def test_waits_are_spread() -> None:
    waits = {retry_at(Trouble(), 9, NOW, share / 10) - NOW for share in range(11)}

    assert (min(waits), max(waits), len(waits)) == (128, 256, 11)


@pytest.mark.check("B22")
@given(asked=st.integers(1, 10**9), share=SHARES)
def test_a_server_that_asks_for_time_gets_all_of_it_but_an_hour_at_most(
    asked: int, share: float
) -> None:
    wait_seconds = retry_at(Trouble(retry_after_seconds=asked), 1, NOW, share) - NOW

    assert wait_seconds == min(asked, 3_600) + 1


@pytest.mark.parametrize(
    ("until", "expected"),
    [(NOW, False), (NOW + 1, True), (NOW + 3_601, True), (NOW + 3_602, False)],
)
def test_nobody_waits_longer_than_the_longest_time(until: int, *, expected: bool) -> None:
    assert is_cooling(until, NOW) is expected


def test_an_endpoint_is_not_cooling_before_a_failure() -> None:
    assert EndpointCooldown().cooling(NOW) is None


def test_a_failure_of_one_grant_alone_leaves_the_endpoint_to_the_others() -> None:
    cooldown = EndpointCooldown()

    cooldown.note_failure(Trouble(is_ambiguous=True), NOW, 1)

    assert cooldown.cooling(NOW) is None


@pytest.mark.check("B22")
def test_failures_of_requests_that_left_together_count_as_one() -> None:
    cooldown = EndpointCooldown()

    for _ in range(50):
        cooldown.note_failure(FAILED, NOW, 1)

    assert wait_seconds(cooldown) == 1


@pytest.mark.check("B22")
def test_failures_one_after_the_other_make_the_wait_longer() -> None:
    cooldown, now = EndpointCooldown(), NOW
    waits = []

    for _ in range(4):
        cooldown.note_failure(FAILED, now, 1)
        waits.append(wait_seconds(cooldown, now))
        now += waits[-1]

    assert waits == [1, 2, 4, 8]


def test_a_success_makes_the_next_failure_the_first() -> None:
    cooldown = EndpointCooldown()
    cooldown.note_failure(FAILED, NOW, 1)
    cooldown.note_success()

    cooldown.note_failure(FAILED, NOW + 100, 1)

    assert wait_seconds(cooldown, NOW + 100) == 1


def test_a_failure_does_not_shorten_what_the_server_asked_for() -> None:
    cooldown = EndpointCooldown()
    asked = Trouble(is_throttled=True, concerns_all=True, retry_after_seconds=60)
    cooldown.note_failure(asked, NOW, 1)

    cooldown.note_failure(FAILED, NOW, 1)

    assert wait_seconds(cooldown) == 61


def wait_seconds(cooldown: EndpointCooldown, now: int = NOW) -> int:
    cooling = cooldown.cooling(now)
    assert cooling is not None
    return cooling.until - now
