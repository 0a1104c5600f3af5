"""The log of the commands: lines for people on a terminal, one JSON object a line elsewhere."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from webex_oauth.cli.printing import visible

LIBRARY = "webex_oauth"

_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_JSON: Final = json.JSONEncoder(default=repr)


class JsonLines(logging.Formatter):
    """Write a record as one JSON object in ASCII: its event, its fields, its instant."""

    def format(self, record: logging.LogRecord) -> str:
        """Write *record*; a field that JSON does not know is written as its repr."""
        told = record.args if isinstance(record.args, Mapping) else {}
        own = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line = {**own, **told, **_extra(record), **own}  # its own come first, and win
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _JSON.encode(line)


class TerminalLines(logging.Formatter):
    """Write a record as a line for people: local time, level, words, what the words leave out."""

    def format(self, record: logging.LogRecord) -> str:
        """Write *record*; what would act on the terminal is escaped, a traceback stands below."""
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
    """Send every log record to standard error; each step of the flow when *is_debugging*."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TerminalLines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(LIBRARY).setLevel(logging.DEBUG if is_debugging else logging.INFO)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}


def _in_quotes(value: str) -> str:
    return f'"{value}"' if " " in value else value
