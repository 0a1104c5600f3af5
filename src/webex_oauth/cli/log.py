"""The log of the commands: readable on a terminal, one JSON object a line elsewhere."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

import structlog

LIBRARY = "webex_oauth"

_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_JSON: Final = json.JSONEncoder(default=repr)


class JsonLines(logging.Formatter):
    """Write a record as one JSON object in ASCII: its event, its extra fields, its instant."""

    def format(self, record: logging.LogRecord) -> str:
        """Write *record*; a field that JSON does not know is written as its repr."""
        extra = {k: v for k, v in vars(record).items() if k not in _STANDARD_FIELDS}
        line = {
            **extra,
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _JSON.encode(line)


def configure_log(*, is_debugging: bool) -> None:
    """Send every log record to standard error; each step of the flow when *is_debugging*."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(terminal_lines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(LIBRARY).setLevel(logging.DEBUG if is_debugging else logging.INFO)


def terminal_lines() -> logging.Formatter:
    """Make the formatter for people: aligned and in colour."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ],
    )
