"""Instants, as Webex writes them: `2026-03-02T10:05:01.337Z`."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def webex_instant(milliseconds: int) -> str:
    """Write an instant given in milliseconds since 1970."""
    instant = _EPOCH + timedelta(milliseconds=milliseconds)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
