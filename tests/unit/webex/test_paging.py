"""A list that goes round in a circle or never ends is left."""

import pytest

from webex_oauth.errors import InvalidResponse, ListTooLong
from webex_oauth.webex.api import PageTrail, PageUrl


def page(number: int) -> PageUrl:
    return PageUrl(f"https://webexapis.com/v1/rooms?cursor={number}")


def test_a_long_list_is_followed_to_its_end() -> None:
    trail = PageTrail()

    for number in range(2, 1_001):
        trail.check(page(number))


@pytest.mark.bound("pages of a list")
def test_an_endless_list_is_left_after_a_thousand_pages() -> None:
    trail = PageTrail()
    for number in range(2, 1_001):
        trail.check(page(number))

    with pytest.raises(ListTooLong, match="more than 1000 pages"):
        trail.check(page(1_001))


@pytest.mark.parametrize("circle", [[2, 2], [2, 3, 2], [2, 3, 4, 5, 3]])
def test_a_page_is_not_followed_twice(circle: list[int]) -> None:
    trail = PageTrail()
    for number in circle[:-1]:
        trail.check(page(number))

    with pytest.raises(InvalidResponse, match="circle"):
        trail.check(page(circle[-1]))


def test_the_bound_counts_the_first_page() -> None:
    trail = PageTrail(max_pages=1)

    with pytest.raises(InvalidResponse, match="more than 1 pages"):
        trail.check(page(2))
