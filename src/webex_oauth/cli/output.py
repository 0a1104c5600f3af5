"""Everything the commands write: lines for people, and the log.

Foreign text cannot steer a terminal, nor pass for a line of ours.
"""

import json
import logging
import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
LIBRARY = "webex_oauth"

_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_JSON: Final = json.JSONEncoder(default=repr)


def visible(text: str) -> str:
    """Return *text* on one line, with every character that acts on a terminal escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in HIDDEN else c
        for c in text
    )


def say(text: str) -> None:
    """Print one line to standard output."""
    click.echo(visible(text))


def complain(text: str) -> None:
    """Print one line to standard error."""
    click.echo(visible(text), err=True)


def drop_unwritten() -> None:
    """Drop what standard output does not take: at its end Python would fail over it once more."""
    try:
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())


def print_mistakes(mistakes: Sequence[str]) -> None:
    """Print what must be changed."""
    for mistake in mistakes:
        complain(f"error: {mistake}")


def print_warnings(warnings: Sequence[str]) -> None:
    """Print what the operator should know."""
    for warning in warnings:
        complain(f"warning: {warning}")


class JsonLines(logging.Formatter):
    """One JSON object in ASCII for each record: its event, its fields, its time."""

    def format(self, record: logging.LogRecord) -> str:
        fields = record.args if isinstance(record.args, Mapping) else {}
        own = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line = {**own, **fields, **_extra(record), **own}  # its own come first, and win
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _JSON.encode(line)


class TerminalLines(logging.Formatter):
    """A line for people: local time, level, message, and any fields the message leaves out."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone()
        words = [f"{at:%H:%M:%S}", f"{record.levelname:<7}", record.getMessage()]
        words += [
            f"{name}={_in_quotes(str(value))}"
            for name, value in _extra(record).items()
            if value is not None
        ]
        lines = [" ".join(words)]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        return "\n".join(map(visible, lines))


def configure_log(*, is_debugging: bool) -> None:
    """Log to standard error: JSON lines, or plain lines on a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TerminalLines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(LIBRARY).setLevel(logging.DEBUG if is_debugging else logging.INFO)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}


def _in_quotes(value: str) -> str:
    return f'"{value}"' if " " in value else value
