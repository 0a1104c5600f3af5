"""The synchronous classes say the same as the asynchronous ones."""

import inspect
from collections.abc import Iterator
from typing import get_type_hints

import pytest

from webex_oauth.library import events, grants, integration, sign_in, synchronous

PAIRS = [
    (grants.AsyncGrant, synchronous.Grant),
    (grants.AsyncGrants, synchronous.Grants),
    (events.AsyncEvents, synchronous.Events),
    (sign_in.AsyncSignIn, synchronous.SignIn),
    (integration.AsyncIntegration, synchronous.Integration),
]


def verbs(kind: type) -> Iterator[str]:
    for name, _ in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_"):
            yield name


@pytest.mark.parametrize(("twin", "plain"), PAIRS, ids=lambda kind: kind.__name__)
def test_both_have_the_same_verbs_with_the_same_parameters(twin: type, plain: type) -> None:
    assert set(verbs(twin)) == set(verbs(plain))
    for name in verbs(twin):
        ours, theirs = (inspect.signature(getattr(kind, name)) for kind in (plain, twin))
        assert list(map(str, ours.parameters.values())) == [
            in_plain_words(str(one)) for one in theirs.parameters.values()
        ], name


@pytest.mark.parametrize(("twin", "plain"), PAIRS, ids=lambda kind: kind.__name__)
def test_each_verb_returns_what_its_namesake_does(twin: type, plain: type) -> None:
    for name in verbs(twin):
        ours, theirs = (get_type_hints(getattr(kind, name))["return"] for kind in (plain, twin))
        assert str(ours).replace("synchronous.", "") == in_plain_words(str(theirs)), name


def in_plain_words(hint: str) -> str:
    """Return an asynchronous hint as the synchronous one is written."""
    for part in ("grants.", "sign_in.SignInE", "sign_in.SignInS"):
        hint = hint.replace(f"library.{part}Async", "library.")
    hint = hint.replace("collections.abc.Awaitable[None]", "None")
    return hint.replace("collections.abc.AsyncIterator", "collections.abc.Iterator")
