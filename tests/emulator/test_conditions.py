"""What a test controls: the clock, the randomness and the options; and memory that is bounded."""

import time
import uuid

import pytest

from webex_oauth.emulator import MovableClock, Options, Randomness
from webex_oauth.emulator.conditions import BoundedDict, Conditions


def test_a_running_clock_follows_the_machine_and_can_be_set() -> None:
    clock, before = MovableClock(), int(time.time())

    assert before <= clock.now() <= int(time.time())
    clock.set(2_000_000_000)
    assert 2_000_000_000 <= clock.now() <= 2_000_000_005


def test_a_stopped_clock_moves_by_exactly_what_is_asked_and_goes_back_on_reset() -> None:
    clock = MovableClock(stopped_at=1_000)

    assert [clock.now(), clock.advance(60), clock.advance(-10)] == [1_000, 1_060, 1_050]
    clock.reset()
    assert clock.now() == 1_000


@pytest.mark.parametrize("seconds", [-(10**10), 10**12, 10**30])
def test_the_clock_keeps_to_years_that_calendars_have(seconds: int) -> None:
    clock = MovableClock(stopped_at=1_800_000_000)

    with pytest.raises(ValueError, match="1970 to 9999"):
        clock.advance(seconds)

    assert clock.now() == 1_800_000_000


def test_a_seed_repeats_its_values_in_order_and_each_of_them_once() -> None:
    first, second = Randomness(7), Randomness(7)
    values = [first.hex(8) for _ in range(100)]

    assert values == [second.hex(8) for _ in range(100)]
    assert len(set(values)) == 100
    assert uuid.UUID(first.uuid()).version == 4


def test_an_option_changes_alone_and_goes_back_on_reset() -> None:
    conditions = Conditions(options=Options(access_token_quota=5))

    conditions.change_options(refresh_mode="rotate")
    assert conditions.options == Options(access_token_quota=5, refresh_mode="rotate")

    conditions.reset()
    assert conditions.options == Options(access_token_quota=5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("access_token_lifetime_seconds", -1),
        ("access_token_lifetime_seconds", 10**12),
        ("access_token_quota", -750),
        ("refresh_mode", "rotated"),
        ("page_cap", 0),
        ("revoke_status", 100),
        ("is_pkce_required", 1),
        ("granted_scopes", "spark:kms"),
        ("authorize_error", "x" * 2_001),
    ],
)
def test_an_impossible_value_is_refused_with_the_name_of_its_option(
    name: str, value: object
) -> None:
    conditions = Conditions()

    with pytest.raises(ValueError, match=f"`\\$.{name}`"):
        conditions.change_options(**{name: value})
    with pytest.raises(ValueError, match=name):
        Conditions(options=Options(**{name: value}))  # type: ignore[arg-type]  # the point

    assert conditions.options == Options()


def test_an_unknown_option_is_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no option refresh_mod: .*refresh_mode"):
        Conditions().change_options(refresh_mod="rotate")


@pytest.mark.bound("tokens of the emulator")
def test_a_full_dictionary_loses_its_oldest_entry_and_a_replaced_value_displaces_nothing() -> None:
    entries: BoundedDict[str, int] = BoundedDict(2)

    for number, key in enumerate("abcb"):
        entries[key] = number

    assert list(entries.items()) == [("b", 3), ("c", 2)]
