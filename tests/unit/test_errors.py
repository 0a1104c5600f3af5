"""The exception tree is the one its page draws, and no message carries what it must not."""

import inspect
import re
from pathlib import Path

import pytest

from webex_oauth import errors

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
LINE = re.compile(r"^(?P<indent>[│ ]*)[├└]── (?P<name>\w+)")


def drawn_parents() -> dict[str, str]:
    """Read the page's tree as child → parent."""
    branch = ["WebexOAuthError"]
    parents = {}
    for line in PAGE.read_text().splitlines():
        if drawn := LINE.match(line):
            depth = len(drawn["indent"]) // 4 + 1
            branch[depth:] = [drawn["name"]]
            parents[drawn["name"]] = branch[depth - 1]
    return parents


def defined_parents() -> dict[str, str]:
    classes = inspect.getmembers(errors, inspect.isclass)
    mine = [
        kind
        for _, kind in classes
        if kind.__module__.startswith(errors.__name__) and issubclass(kind, Exception)
    ]
    return {kind.__name__: kind.__bases__[0].__name__ for kind in mine}


def test_the_tree_is_the_one_its_page_draws() -> None:
    assert {**drawn_parents(), "WebexOAuthError": "Exception"} == defined_parents()


def test_every_mistake_of_a_configuration_is_told() -> None:
    error = errors.ConfigurationError(["one", "two"])

    assert error.mistakes == ("one", "two")
    assert str(error) == "one; two"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.IncompleteCallback("code"), "the callback has no code"),
        (errors.RateLimited(7), "Webex limits how often it may be asked; come back in 7 s"),
        (errors.ServerFailed(503), "Webex answered 503; try again; nothing is lost"),
        (errors.RefreshPostponed("it failed", 7), "it failed; come back in 7 s"),
        (
            errors.ApiError(409, "Person is already in the room.", tracking_id="T1"),
            "the API answered 409: Person is already in the room (tracking id T1); ",
        ),
        (
            errors.ReauthRequired("grant_ended", "http://here/login", grant="0a1b"),
            "(grant 0a1b): grant_ended: they never signed in here, or their grant was ended; let ",
        ),
        (errors.AuthorizationRefused("x\ny"), r"the authorization server answered 'x\ny'; "),
        (
            errors.InvalidGrant("invalid_grant", "Code is spent.", tracking_id="T2"),
            "the token endpoint answered 'invalid_grant': Code is spent (tracking id T2); ",
        ),
        (errors.ProxyFailed("the proxy answered 407", 407), "put user and password of the proxy"),
    ],
)
def test_a_message_says_what_happened_on_one_line(
    error: errors.WebexOAuthError, message: str
) -> None:
    assert message in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("kind", [*drawn_parents()])
def test_every_error_has_a_remedy_of_its_kind(kind: str) -> None:
    assert getattr(errors, kind).remedy
    assert getattr(errors, kind).remedy is not errors.WebexOAuthError.remedy


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (errors.RateLimited(7), 7),
        (errors.ServerFailed(503, retry_after_seconds=8), 8),
        (errors.ServerFailed(503), None),
        (errors.RefreshPostponed("cooling down", 9), 9),
        (errors.StoreUnavailable("away"), None),
    ],
)
def test_when_to_come_back_is_told_where_it_is_known(
    error: errors.TemporaryError, seconds: int | None
) -> None:
    assert error.retry_after_seconds == seconds
