"""What the server promises to keep: asked when the store opens, so that no token is lost later."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.redis.calls import Server

EVERY_SECOND = "everysec"
DURABLE: Final = frozenset({EVERY_SECOND, "always"})
NOT_TOLD: Final = frozenset({"ERR", "NOPERM"})
"""The codes with which servers refuse a command that they do not know or do not permit."""

REMEDY = "or add durability=unchecked to WEBEX_STORE_URL to run on with that risk"
UNTOLD = (
    "cannot read Redis persistence settings (INFO or CONFIG not permitted): make sure that "
    "appendonly is on, and that maxmemory-policy is noeviction"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Persistence:
    """What the server says of itself; None is what it did not say."""

    appends: bool | None
    fsync: str | None
    max_memory_bytes: int | None
    eviction: str | None


async def check_durability(server: Server) -> None:
    """Raise ConfigurationError if the server forgets, unless the operator accepts that.

    A server that can confirm what is on its disk (Redis 7.2, Valkey) is asked to from now on,
    unless it writes everything there before it answers.
    """
    if not server.address.is_durability_checked:
        _log.warning("the store may lose tokens: its URL says durability=unchecked")
        return
    persistence = await _read_persistence(server)
    place = server.address.place
    mistakes = [f"the database at {place} {one}, {REMEDY}" for one in find_mistakes(persistence)]
    if mistakes:
        raise ConfigurationError(mistakes)
    if None in (persistence.appends, persistence.fsync, persistence.eviction):
        _log.warning(UNTOLD)
    if persistence.appends and persistence.fsync != "always":
        (described,) = await server.call(("COMMAND", "INFO", "WAITAOF"), tolerated=NOT_TOLD)
        server.confirms_disk = bool(described and described[0])


def find_mistakes(persistence: Persistence) -> Sequence[str]:
    """Return what an operator has to change."""
    mistakes = []
    if persistence.appends is False:
        mistakes.append("forgets everything when it restarts: set appendonly to yes")
    if persistence.fsync is not None and persistence.fsync not in DURABLE:
        mistakes.append(
            f"lets the system decide when to write to the disk: set appendfsync to {EVERY_SECOND} "
            "or always"
        )
    if persistence.max_memory_bytes and persistence.eviction not in ("noeviction", None):
        mistakes.append("drops tokens when its memory is full: set maxmemory-policy to noeviction")
    return mistakes


async def _read_persistence(server: Server) -> Persistence:
    """Ask the server; managed ones often forbid CONFIG, and some users may ask nothing."""
    info, fsync = await server.call(("INFO",), ("CONFIG", "GET", "appendfsync"), tolerated=NOT_TOLD)
    lines = (info or b"").decode(errors="replace").splitlines()
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    max_memory = said.get("maxmemory")
    return Persistence(
        appends=None if "aof_enabled" not in said else said["aof_enabled"] == "1",
        fsync=fsync[1].decode() if fsync else None,
        max_memory_bytes=None if max_memory is None else int(max_memory),
        eviction=said.get("maxmemory_policy"),
    )
