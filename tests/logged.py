"""What the log says of an event besides its words."""

import logging
from collections.abc import Mapping


def fields(record: logging.LogRecord) -> Mapping[str, object]:
    """Return the members of the mapping that *record* was logged with."""
    return record.args if isinstance(record.args, Mapping) else {}
