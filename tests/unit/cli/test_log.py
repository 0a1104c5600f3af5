"""The log away from a terminal: one JSON object a line, whatever is logged."""

import json
import logging
import sys
from typing import Any

import pytest
from hypothesis import given, strategies as st

from webex_oauth.cli.output import JsonLines
from webex_oauth.secret import Secret


def line_of(message: str, **extra: Any) -> str:
    """Log *message*, with the exception that is being handled, and give the line as written."""
    exception = sys.exc_info() if sys.exc_info()[0] else None
    record = logging.getLogger("webex_oauth.flows").makeRecord(
        "webex_oauth.flows", logging.INFO, __file__, 1, message, (), exception, extra=extra
    )
    return JsonLines().format(record)


@pytest.mark.check("E04")
def test_a_record_is_written_with_its_extra_fields() -> None:
    line = json.loads(line_of("signed in", grant="3f9a2c71d0"))

    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "event": "signed in",
        "level": "info",
        "logger": "webex_oauth.flows",
        "grant": "3f9a2c71d0",
    }


@pytest.mark.check("E04")
@given(st.text(), st.text())
def test_any_text_stays_on_one_line_of_ascii(message: str, detail: str) -> None:
    text = line_of(message, detail=detail)

    assert text.isascii()
    assert text.splitlines() == [text]
    assert json.loads(text)["detail"] == detail


@pytest.mark.check("E04")
def test_a_record_is_written_with_the_values_in_its_words() -> None:
    words, values = "the refresh of %(grant)s failed", {"grant": "3f9a", "event": "forged"}
    record = logging.LogRecord("webex_oauth", logging.INFO, "", 1, words, (values,), None)

    line = json.loads(JsonLines().format(record))

    assert (line["event"], line["grant"]) == ("the refresh of 3f9a failed", "3f9a")


@pytest.mark.check("E04")
def test_a_field_cannot_pass_for_the_event() -> None:
    line = json.loads(line_of("refused", event="signed in", level="debug"))

    assert (line["event"], line["level"]) == ("refused", "info")
    assert list(line) == ["timestamp", "level", "event", "logger"]


def test_a_secret_in_a_field_stays_masked() -> None:
    assert json.loads(line_of("refused", token=Secret("abc")))["token"] == "Secret(***)"


@pytest.mark.check("E04")
def test_an_exception_is_written_with_its_traceback() -> None:
    def line_of_failure() -> str:
        try:
            return str(int("no number"))
        except ValueError:
            return line_of("page failed")

    line = json.loads(line_of_failure())

    assert line["exception"].startswith("Traceback (most recent call last):")
    assert line["exception"].endswith("'no number'")
