"""How long to wait after a 429 (RFC 9110 section 10.2.3)."""

import pytest
from hypothesis import given, strategies as st

from webex_oauth.oauth.http import read_retry_after

SUNDAY_1994 = 784_111_777  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 section 5.6.7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1),
        ("120", 120),
        ("3600", 3600),
        ("  30 ", 30),
        ("007", 7),
        ("0", 1),
        ("3601", 3600),
        ("86400", 3600),
        ("9" * 64, 3600),
        ("9" * 65, 15),
    ],
)
def test_seconds_are_kept_between_a_second_and_an_hour(value: str, seconds: int) -> None:
    assert read_retry_after(value, SUNDAY_1994) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 09:49:37 +0100",
        "Sun, 06 Nov 1994 08:49:37 -0000",
    ],
)
@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (SUNDAY_1994 - 60, 60),
        (SUNDAY_1994, 1),
        (SUNDAY_1994 + 60, 1),
        (SUNDAY_1994 - 90_000, 3600),
    ],
)
def test_a_date_is_counted_from_now(value: str, now: int, seconds: int) -> None:
    assert read_retry_after(value, now) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "-1",
        "+5",
        "\xa05",
        "5\x85",
        "5\x0b",
        "Sun, 06 Nov 1994 08:49:37\xa0GMT",
        "1.5",
        "1e3",
        "0x10",
        "5 seconds",
        "soon",
        "٣",
        "²",
        "5\n5",
        "\x00",
        "9" * 5_000,
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Fri, 31 Dec 9999 23:59:59 -0100",
        "Sun, 06 Nov 1994 08:49:37 +99999999",
    ],
)
def test_what_says_nothing_usable_is_fifteen_seconds(value: str | None) -> None:
    assert read_retry_after(value, SUNDAY_1994) == 15


DATE_PIECES = st.sampled_from(
    ["Sun", ",", " ", "06", "-", "Nov", "1994", "94", "08:49:37", ":", ".", "GMT", "+0100", "-9999"]
)


@pytest.mark.bound("wait that a server asks for")
@given(st.one_of(st.text(), st.lists(DATE_PIECES).map("".join)), st.integers(0, 2**40))
def test_any_value_is_a_wait_within_its_bounds(value: str, now: int) -> None:
    assert 1 <= read_retry_after(value, now) <= 3600
