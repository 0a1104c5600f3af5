"""What the server promises to keep: asked when the store opens, so that no token is lost later."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.redis.calls import Server

EVERY_SECOND = "everysec"
NO_EVICTION = "noeviction"
NOT_TOLD: Final = frozenset({"ERR", "NOPERM"})
"""The codes of commands that are unknown or not permitted: managed servers often forbid CONFIG."""

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
    text, setting, waitaof = await server.call(
        ("INFO",),
        ("CONFIG", "GET", "appendfsync"),
        ("COMMAND", "INFO", "WAITAOF"),
        tolerated=NOT_TOLD,
    )
    info = _read_info(text or b"")
    fsync = setting[1].decode() if setting else None
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
        server.confirms_disk = bool(waitaof and waitaof[0])


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


def _read_info(text: bytes) -> Mapping[str, str]:
    lines = text.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
