"""The key agreement: the keys at hand are those of the database, in every process.

For each key in use the database holds a check: a small value that only this key opens. It shows at
the start, before anything is sealed, whether the keys fit.

A new key seals only once every living process can open what it seals. The process that wants it to
seal adds a question beside the checks, and waits as long as a living process takes at most to look
there. A process that lacks the key objects, by its name.
"""

import asyncio
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path

from webex_oauth.errors import KeyUnavailable, SealBroken, StoreError, VaultError
from webex_oauth.ports import Randomness, Sleep
from webex_oauth.secret import Secret
from webex_oauth.vault.key_file import RESTORE, KeyFile, read_keys, read_or_make_key_file
from webex_oauth.vault.rows import Change, Kind, Row, Rows
from webex_oauth.vault.sealing import Context, KeyRing, Keys, Sealer, key_id_of

LOOK_EVERY_SECONDS = 1.0
SETTLE_SECONDS = LOOK_EVERY_SECONDS + 3.0
"""How long a process may go on with what it began before it looked at its keys or the store."""

CONTENT = b"webex-oauth"
ASKED, LACKED = b"asked:", b"lacked:"
"""What the names of questions and objections begin with; a colon is in no key's id."""
NONCE_BYTES = 8
NAME = re.compile(rb"[A-Za-z0-9._-]{1,64}|(asked|lacked):.{1,57}", re.DOTALL)
"""What rows of keys are called: a question leaves room for the name of its objection."""

BATCH = 500

log = logging.getLogger(__name__)


async def open_keys(
    rows: Rows, path: Path, text: Secret | None, randomness: Randomness, made_on: date
) -> Keys:
    """Read the keys in *text*, or else in the file at *path*, and check that they are the store's.

    The file is made if there is none and the store has never been sealed. Raises KeyUnavailable
    that says what to do, or StoreUnavailable.
    """
    if text is None:
        _refuse_fresh_keys(path, await keys_in_use(rows))
        keys: Keys = read_or_make_key_file(path, randomness, made_on)
    else:
        keys = read_keys(text.reveal(), "WEBEX_KEYS")
    await check_keys(rows, Sealer(keys, randomness))
    return keys


async def check_keys(rows: Rows, sealer: Sealer, sleep: Sleep = asyncio.sleep) -> None:
    """Check that every key in use is there and is the right one; note the use of the primary one.

    A new primary key has to be known to every living process first, which takes some seconds.
    Raises KeyUnavailable that says what to do, or StoreUnavailable.
    """
    primary = sealer.keys.primary.id
    checks = await _checked(rows, sealer)
    if checks and primary not in checks:
        await _agree(rows, sealer, sleep)
        checks = await _checked(rows, sealer)
    if primary not in checks:
        await _add(rows, primary.encode(), _check(sealer))


async def keys_in_use(rows: Rows) -> Mapping[str, bytes]:
    """Read the checks of the keys that seal or sealed, by key id."""
    return _checks(await _key_rows(rows))


async def seals(rows: Rows, sealer: Sealer) -> bool:
    """Return whether the primary key of *sealer* is one that seals in this store."""
    check = (await keys_in_use(rows)).get(sealer.keys.primary.id)
    return check is not None and _opens(sealer, check)


async def drop_check(rows: Rows, key_id: str) -> None:
    """Remove the check of a key that nothing is under any more."""
    await _drop(rows, key_id.encode())


class KeyWatch:
    """Adopt what a key file says once it fits the store; go on with what was read until then."""

    def __init__(
        self,
        keys: KeyFile,
        rows: Rows,
        randomness: Randomness,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._keys = keys
        self._rows = rows
        self._randomness = randomness
        self._complaint = ""

    async def run(self) -> None:
        """Look at the file every second, until cancelled."""
        while True:
            await self._sleep(LOOK_EVERY_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Adopt the file's keys if they changed; log an unusable key file once."""
        try:
            ring = self._keys.change()
            if ring is not None:
                await self._adopt(ring)
        except KeyUnavailable as error:
            self._complain(str(error))
        except StoreError as error:
            self._complain(f"the store cannot be asked: {type(error).__name__}")
        else:
            self._complaint = ""

    async def _adopt(self, ring: KeyRing) -> None:
        """Agree on a new primary key before anything is sealed with it."""
        await check_keys(self._rows, Sealer(ring, self._randomness), self._sleep)
        self._keys.adopt(ring)
        log.info(
            "the keys changed: %(seals)s seals, %(opens)s open",
            {"seals": ring.primary.id, "opens": [key.id for key in ring.others]},
        )

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            log.error("the changed key file is not used: %(error)s", {"error": complaint})


class KeyPresence:
    """Look for keys that the store needs and this process, called *who*, does not have.

    Another process may have begun to seal with such a key: what it writes cannot be read here, and
    this process is not ready.
    """

    def __init__(self, rows: Rows, sealer: Sealer, who: str) -> None:
        self._rows = rows
        self._sealer = sealer
        self._who = who
        self._missing: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Look, and answer questions, every second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                await self.look()
            except StoreError as error:
                log.debug("the keys in use cannot be read: %(error)s", {"error": str(error)})

    async def look(self) -> None:
        """Answer questions, and log once each key that is missing here; raise StoreUnavailable."""
        found = await _key_rows(self._rows)
        await _answer(self._rows, self._sealer, found, self._who)
        missing = {}
        for key_id, check in _checks(found).items():
            try:
                _check_key(self._sealer, key_id, check)
            except KeyUnavailable as error:
                missing[key_id] = str(error)
        for key_id in missing.keys() - self._missing:
            log.error(
                "not ready: what other processes seal with key %(key)s cannot be read: %(error)s",
                {"key": key_id, "error": missing[key_id]},
            )
        self._missing = frozenset(missing)

    async def check(self) -> None:
        """Raise KeyUnavailable if a key is missing, or StoreUnavailable."""
        await self.look()
        if self._missing:
            names = ", ".join(sorted(self._missing))
            raise KeyUnavailable(f"not every key of the store is here: {names}")


async def _agree(rows: Rows, sealer: Sealer, sleep: Sleep) -> None:
    """Ask whether every living process has the primary key.

    Raises KeyUnavailable that names a process which has not, or StoreUnavailable.
    """
    key_id, nonce = sealer.keys.primary.id, sealer.randomness(NONCE_BYTES)
    await _add(rows, ASKED + nonce, _check(sealer))
    try:
        await sleep(SETTLE_SECONDS)
        (objection,) = await rows.read(Row(Kind.KEY, LACKED + nonce))
    finally:
        await _drop(rows, ASKED + nonce)
        await _drop(rows, LACKED + nonce)
    if objection.rev:
        who = objection.body.decode(errors="replace")
        raise KeyUnavailable(
            f"key {key_id!r} cannot seal yet, because {who} does not have it: add it there first, "
            "and make it primary afterwards"
        )


async def _answer(rows: Rows, sealer: Sealer, found: Sequence[Row], who: str) -> None:
    """Object, once, to each key that is asked about and that *sealer* lacks.

    What killed processes left behind is removed: a question about a key that seals by now, an
    objection to a question that is gone.
    """
    names = {row.name for row in found}
    for row in found:
        if row.name.startswith(ASKED):
            lacked = LACKED + row.name.removeprefix(ASKED)
            if _asked_key(row).encode() in names:
                await _drop(rows, row.name)
            elif lacked not in names and not _opens(sealer, row.body):
                await _add(rows, lacked, who.encode())
        elif row.name.startswith(LACKED) and ASKED + row.name.removeprefix(LACKED) not in names:
            await _drop(rows, row.name)


async def _checked(rows: Rows, sealer: Sealer) -> Mapping[str, bytes]:
    checks = await keys_in_use(rows)
    for key_id, check in checks.items():
        _check_key(sealer, key_id, check)
    return checks


def _refuse_fresh_keys(path: Path, key_ids: Collection[str]) -> None:
    """Refuse to make keys for a store that was sealed with others."""
    if key_ids and not path.is_symlink() and not path.exists():
        names = ", ".join(repr(key_id) for key_id in sorted(key_ids))
        raise KeyUnavailable(f"{path} is not there, and the store needs its key {names}: {RESTORE}")


def _check_key(sealer: Sealer, key_id: str, check: bytes) -> None:
    """Raise KeyUnavailable that says what to do if the key is missing or another one."""
    source = sealer.keys.source
    try:
        if key_id_of(check) == key_id and sealer.open(check, _context(key_id)) == CONTENT:
            return
    except KeyUnavailable as error:
        raise KeyUnavailable(
            f"key {key_id!r} of the store is not in {source}: put it back"
        ) from error
    except SealBroken:
        pass
    raise KeyUnavailable(
        f"key {key_id!r} in {source} is not the one the store was sealed with: put that one back"
    )


def _check(sealer: Sealer) -> bytes:
    """Seal a check under the primary key."""
    return sealer.seal(CONTENT, _context(sealer.keys.primary.id))


def _opens(sealer: Sealer, check: bytes) -> bool:
    try:
        return sealer.open(check, _context(key_id_of(check))) == CONTENT
    except VaultError:
        return False


def _context(key_id: str) -> Context:
    return Context(Kind.KEY.value, key_id.encode())


def _asked_key(row: Row) -> str:
    try:
        return key_id_of(row.body)
    except SealBroken:
        return ""


def _checks(found: Sequence[Row]) -> Mapping[str, bytes]:
    return {row.name.decode(): row.body for row in found if b":" not in row.name}


async def _key_rows(rows: Rows) -> Sequence[Row]:
    """Read all checks, questions and objections; a row of any other name is not ours."""
    found: list[Row] = []
    while batch := await rows.by_name(Kind.KEY, found[-1].name if found else b"", BATCH):
        found += batch
    return [row for row in found if NAME.fullmatch(row.name)]


async def _add(rows: Rows, name: bytes, body: bytes) -> None:
    """Write a row, unless it is there already."""
    await rows.apply([Change(Row(Kind.KEY, name, 1, body), over=0)], durably=True)


async def _drop(rows: Rows, name: bytes) -> None:
    (row,) = await rows.read(Row(Kind.KEY, name))
    if row.rev:
        await rows.apply([row.removal], durably=True)
