"""The texts of failures."""

import re
from http import HTTPStatus

import pytest
from failures_told import EVERY_FAILURE, FAILURE_BY_CONSTANT

from webex_oauth.web.failures import Failure, Retry

FAILURES = pytest.mark.parametrize("failure", EVERY_FAILURE, ids=lambda failure: failure.name)


def test_a_failure_is_named_as_its_constant() -> None:
    for constant, failure in FAILURE_BY_CONSTANT.items():
        assert failure.name == constant.lower().replace("_", "-")


def test_no_two_failures_share_a_name() -> None:
    names = [failure.name for failure in EVERY_FAILURE]

    assert len(set(names)) == len(names) >= 40


@FAILURES
def test_a_failure_has_a_real_error_status(failure: Failure) -> None:
    assert HTTPStatus(failure.status) >= HTTPStatus.BAD_REQUEST


@FAILURES
def test_a_failure_is_told_in_whole_sentences(failure: Failure) -> None:
    assert re.fullmatch(r"[A-Z][^.!?]+", failure.title)
    for text in (failure.what_happened, failure.what_to_do):
        assert re.fullmatch(r"[A-Z].+[.:]", text)
        assert "  " not in text


@FAILURES
def test_trying_again_is_offered_only_where_the_text_says_so(failure: Failure) -> None:
    says_so = re.search(
        r"[Tt]ry again|[Ss]tart|[Ss]ign in|accept|Tell the operator", failure.what_to_do
    )

    if failure.retry in {Retry.SIGN_IN, Retry.SAME_PAGE}:
        assert says_so
