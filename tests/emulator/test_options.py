"""Options are switched by name, and only to what they can be."""

import pytest

from webex_oauth.emulator import Options
from webex_oauth.emulator.options import Switchboard


def test_a_switched_option_leaves_the_others() -> None:
    switchboard = Switchboard(Options(access_token_quota=5))

    switchboard.change(refresh_mode="rotate")

    assert switchboard.options == Options(access_token_quota=5, refresh_mode="rotate")


@pytest.mark.parametrize(
    "change",
    [{"refresh_mod": "rotate"}, {"refresh_mode": "rotated"}, {"access_token_quota": "many"}],
    ids=["unknown name", "unknown choice", "wrong type"],
)
def test_a_change_that_means_nothing_is_refused(change: dict[str, str]) -> None:
    switchboard = Switchboard(Options())

    with pytest.raises(ValueError, match=next(iter(change)).split("_")[0] + r"|Invalid|Expected"):
        switchboard.change(**change)

    assert switchboard.options == Options()


def test_reset_goes_back_to_the_options_of_the_start() -> None:
    switchboard = Switchboard(Options(access_token_quota=5))
    switchboard.change(access_token_quota=6)

    switchboard.reset()

    assert switchboard.options.access_token_quota == 5
