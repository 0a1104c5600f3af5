"""The texts of failures, and which failure an error is."""

import ast
import re
from http import HTTPStatus

import pytest
from architecture.sources import sources

from webex_oauth.errors import (
    ReauthReason,
    ReauthRequired,
    RefreshPostponed,
)
from webex_oauth.flows.failures import (
    API,
    FAILURES,
    REAUTH_BY_REASON,
    SIGN_IN,
    Failure,
    Help,
    Retry,
    api_failure,
)

EACH_FAILURE = pytest.mark.parametrize("failure", FAILURES.values(), ids=lambda one: one.name)


def texts_in_code() -> set[str]:
    """Return every text in the modules of `web/` and `flows/`."""
    return {
        node.value
        for source in sources()
        if source.path.startswith(("src/webex_oauth/web/", "src/webex_oauth/flows/"))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def names_of_refusals() -> set[str]:
    """Return the name in every `Refused("name", ...)` in the code."""
    calls = (node for source in sources() for node in ast.walk(source.tree))
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Refused"
        if isinstance(call.args[0], ast.Constant)
    }


def test_every_failure_is_used_and_every_name_in_the_code_is_one() -> None:
    assert len(FAILURES) >= 40
    assert set(FAILURES) <= texts_in_code()
    assert len(names_of_refusals()) > 10
    assert {name for _, name in (*API, *SIGN_IN)} | names_of_refusals() <= set(FAILURES)


@EACH_FAILURE
def test_a_failure_has_a_real_error_status(failure: Failure) -> None:
    assert HTTPStatus(failure.status) >= HTTPStatus.BAD_REQUEST


@EACH_FAILURE
def test_a_failure_is_written_in_whole_sentences(failure: Failure) -> None:
    assert re.fullmatch(r"[A-Z][^.!?]+", failure.title)
    assert re.fullmatch(r"[A-Z].+[.:]", failure.what_happened)
    for words in (failure.what_happened, failure.what_to_do, failure.operator):
        assert re.fullmatch(r"([A-Z].+[.:])?", words)
        assert "  " not in words
    assert failure.what_to_do or failure.help is Help.TELL


@EACH_FAILURE
def test_trying_again_is_offered_only_where_the_text_says_so(failure: Failure) -> None:
    says_so = re.search(r"[Tt]ry again|[Ss]ign in|[Ss]tart|accept", failure.what_to_do)

    if failure.retry in {Retry.SIGN_IN, Retry.SAME_PAGE}:
        assert says_so or failure.help is Help.TELL


def test_every_reason_to_sign_in_again_has_words_of_its_own() -> None:
    told = [FAILURES[api_failure(ReauthRequired(reason))] for reason in ReauthReason]

    assert set(REAUTH_BY_REASON) == set(ReauthReason)
    assert len({failure.what_happened for failure in told}) == len(ReauthReason)
    assert {(failure.status, failure.retry) for failure in told} == {(401, Retry.SIGN_IN)}


def test_an_unforeseen_reason_still_asks_to_sign_in() -> None:
    assert api_failure(ReauthRequired("of tomorrow")) == "reauth-required"


def test_a_postponed_refresh_does_not_end_a_session() -> None:
    failure = FAILURES[api_failure(RefreshPostponed("cooling down", 9))]

    assert (failure.status, failure.retry) == (503, Retry.SAME_PAGE)
