"""A secret does not show itself, whatever is done with it."""

import copy
import json
import logging
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass
from traceback import TracebackException

import msgspec
import pytest
from hypothesis import given, strategies as st

from webex_oauth.secret import Secret

CANARY = "canary-0f8c5d1e2b7a"


@dataclass(frozen=True)
class Holder:
    token: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(CANARY)),
        str(Secret(CANARY)),
        f"{Secret(CANARY)}",
        f"{Secret(CANARY)!r:>40}",
        f"{Secret(CANARY):>40}",
        "%s" % Secret(CANARY),  # noqa: UP031 - old formatting is what is tested
        repr([Secret(CANARY)]),
        repr(Holder(Secret(CANARY))),
        repr(asdict(Holder(Secret(CANARY)))),
        repr(copy.copy(Secret(CANARY))),
        repr(copy.deepcopy({"token": Secret(CANARY)})),
    ],
)
def test_a_secret_is_masked_however_it_is_shown(shown: str) -> None:
    assert CANARY not in shown
    assert "***" in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret(CANARY), protocol)


@pytest.mark.parametrize("write", [json.dumps, msgspec.json.encode, vars])
def test_a_secret_becomes_no_json_and_has_no_attributes(write: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        write(Secret(CANARY))


def test_a_secret_is_masked_in_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("token %s", Secret(CANARY))

    assert caplog.messages == ["token Secret(***)"]


def test_a_secret_is_masked_in_a_traceback_that_shows_local_variables() -> None:
    def fail(token: Secret) -> None:
        raise RuntimeError(repr(token))

    with pytest.raises(RuntimeError) as caught:
        fail(Secret(CANARY))

    frames = TracebackException.from_exception(caught.value, capture_locals=True).stack
    assert CANARY not in repr([frame.locals for frame in list(frames)[1:]])


@given(st.text(alphabet=st.characters(codec=None)), st.text(alphabet=st.characters(codec=None)))
def test_secrets_are_equal_when_their_texts_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert hash(Secret(one)) == hash(Secret(one))
    assert Secret(one) != one


@given(st.text())
def test_a_secret_is_revealed_on_demand(text: str) -> None:
    assert Secret(text).reveal() == text
    assert bool(Secret(text)) is bool(text)
