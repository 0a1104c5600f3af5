"""Options are switched by name, and only to what they can be."""

import pytest

from webex_oauth.emulator import Options
from webex_oauth.emulator.conditions import Conditions


def test_a_switched_option_leaves_the_others() -> None:
    conditions = Conditions(options=Options(access_token_quota=5))

    conditions.change_options(refresh_mode="rotate")

    assert conditions.options == Options(access_token_quota=5, refresh_mode="rotate")


@pytest.mark.parametrize(
    "change",
    [{"refresh_mod": "rotate"}, {"refresh_mode": "rotated"}, {"access_token_quota": "many"}],
    ids=["unknown name", "unknown choice", "wrong type"],
)
def test_a_change_that_means_nothing_is_refused(change: dict[str, str]) -> None:
    conditions = Conditions(options=Options())

    with pytest.raises(ValueError, match=next(iter(change)).split("_")[0] + r"|Invalid|Expected"):
        conditions.change_options(**change)

    assert conditions.options == Options()


BEYOND = [
    ("access_token_lifetime_seconds", -1),
    ("access_token_lifetime_seconds", 10**12),
    ("refresh_token_lifetime_seconds", -1),
    ("code_lifetime_seconds", -600),
    ("transaction_lifetime_seconds", -1),
    ("rotation_grace_seconds", -1),
    ("access_token_quota", -750),
    ("requests_per_minute", -1),
    ("rooms_page_cap", 0),
    ("rooms_page_cap", -5),
    ("rooms_page_cap", 1.5),
    ("revoke_status", 99),
    ("revoke_status", 100),
    ("revoke_status", 1000),
    ("is_pkce_required", 1),
    ("granted_scopes", "spark:kms"),
    ("authorize_error", "x" * 2_001),
]


@pytest.mark.parametrize(("name", "value"), BEYOND)
def test_a_value_beyond_what_can_be_is_refused_with_its_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"`\\$.{name}`"):
        Conditions(options=Options()).change_options(**{name: value})
    with pytest.raises(ValueError, match=name):
        Conditions(options=Options(**{name: value}))  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize(
    ("name", "value"),
    [("access_token_quota", 0), ("requests_per_minute", 0), ("code_lifetime_seconds", 0)],
)
def test_no_limit_and_no_time_are_values_too(name: str, value: int) -> None:
    assert getattr(Conditions(options=Options()).change_options(**{name: value}), name) == value


def test_an_unknown_option_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no option refresh_mod: .*refresh_mode"):
        Conditions(options=Options()).change_options(refresh_mod="rotate")


def test_reset_goes_back_to_the_options_of_the_start() -> None:
    conditions = Conditions(options=Options(access_token_quota=5))
    conditions.change_options(access_token_quota=6)

    conditions.reset()

    assert conditions.options.access_token_quota == 5
