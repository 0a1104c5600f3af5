"""What the server promises to keep: asked when the store opens, so that no token is lost later."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.redis.database import Database

log = logging.getLogger(__name__)

EVERY_SECOND = "everysec"
DURABLE = frozenset({EVERY_SECOND, "always"})
REMEDY = "or add durability=unchecked to WEBEX_STORE_URL to run on with that risk"


@dataclass(frozen=True, slots=True)
class Persistence:
    """What the server says of itself; None is what it would not say."""

    appends: bool | None
    fsync: str | None
    max_memory_bytes: int | None
    eviction: str | None


async def check_durability(database: Database) -> None:
    """Refuse a server that forgets, unless the operator accepts that.

    A server that confirms what is on its disk (Redis 7.2, Valkey) is asked to, where it does not
    put everything there before it answers.
    """
    if not database.address.is_durability_checked:
        log.warning("the store may lose tokens: its URL says durability=unchecked")
        return
    persistence = await read_persistence(database)
    place = database.address.place
    mistakes = [f"the database at {place} {one}, {REMEDY}" for one in find_mistakes(persistence)]
    if mistakes:
        raise ConfigurationError(mistakes)
    if None in (persistence.appends, persistence.fsync, persistence.eviction):
        log.warning("the database does not say how it keeps data: see that it appends to a file")
    if persistence.appends and persistence.fsync != "always" and await _confirms(database):
        database.wait_for_disk()


async def read_persistence(database: Database) -> Persistence:
    """Ask the server; managed ones often forbid CONFIG, and some users may ask nothing."""
    said = _read_info(await database.command_if_allowed("INFO"))
    fsync = await database.command_if_allowed("CONFIG", "GET", "appendfsync")
    max_memory = said.get("maxmemory")
    return Persistence(
        appends=None if "aof_enabled" not in said else said["aof_enabled"] == "1",
        fsync=fsync[1].decode() if fsync else None,
        max_memory_bytes=None if max_memory is None else int(max_memory),
        eviction=said.get("maxmemory_policy"),
    )


def find_mistakes(persistence: Persistence) -> Sequence[str]:
    """Say what an operator has to change."""
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


def _read_info(text: bytes | None) -> dict[str, str]:
    lines = (text or b"").decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


async def _confirms(database: Database) -> bool:
    described = await database.command_if_allowed("COMMAND", "INFO", "WAITAOF")
    return bool(described and described[0])
