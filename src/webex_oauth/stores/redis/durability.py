"""What the server promises to keep: asked when the store opens, so that no token is lost later."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.redis.calls import Server

EVERY_SECOND = "everysec"
NO_EVICTION = "noeviction"
NOT_TOLD: Final = frozenset({"ERR", "NOPERM"})
"""The codes with which servers refuse a command that they do not know or do not permit."""

REMEDY = "or add durability=unchecked to WEBEX_STORE_URL to run on with that risk"
_log = logging.getLogger(__name__)


async def check_durability(server: Server) -> None:
    """Raise ConfigurationError if the server forgets, unless the operator accepts that.

    A server that can confirm what is on its disk (Redis 7.2, Valkey) is asked to from now on,
    unless it writes everything there before it answers.
    """
    if not server.address.is_durability_checked:
        _log.warning("the store may lose tokens: its URL says durability=unchecked")
        return
    info, fsync = await _read_persistence(server)
    place = server.address.place
    mistakes = [f"the database at {place} {one}, {REMEDY}" for one in find_mistakes(info, fsync)]
    if mistakes:
        raise ConfigurationError(mistakes)
    if fsync is None or "aof_enabled" not in info or "maxmemory_policy" not in info:
        _log.warning(
            "cannot read Redis persistence settings (INFO or CONFIG not permitted): make sure that "
            "appendonly is on and that maxmemory-policy is noeviction"
        )
    if info.get("aof_enabled") == "1" and fsync != "always":
        (described,) = await server.call(("COMMAND", "INFO", "WAITAOF"), tolerated=NOT_TOLD)
        server.confirms_disk = bool(described and described[0])


def find_mistakes(info: Mapping[str, str], fsync: str | None) -> Sequence[str]:
    """Return what an operator has to change, by what the server says; it may say nothing."""
    mistakes = []
    if info.get("aof_enabled") == "0":
        mistakes.append("forgets everything when it restarts: set appendonly to yes")
    if fsync not in (None, EVERY_SECOND, "always"):
        mistakes.append(
            f"lets the system decide when to write to the disk: set appendfsync to {EVERY_SECOND} "
            "or always"
        )
    evicts = info.get("maxmemory_policy", NO_EVICTION) != NO_EVICTION
    if evicts and info.get("maxmemory", "0") != "0":
        mistakes.append(
            f"drops tokens when its memory is full: set maxmemory-policy to {NO_EVICTION}"
        )
    return mistakes


async def _read_persistence(server: Server) -> tuple[Mapping[str, str], str | None]:
    """Read INFO and appendfsync; managed servers often forbid the latter."""
    text, fsync = await server.call(("INFO",), ("CONFIG", "GET", "appendfsync"), tolerated=NOT_TOLD)
    lines = (text or b"").decode(errors="replace").splitlines()
    info = dict(line.split(":", 1) for line in lines if ":" in line)
    return info, fsync[1].decode() if fsync else None
