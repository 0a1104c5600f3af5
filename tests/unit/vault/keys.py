"""A process with a key file, and a store with a row of each kind."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from msgspec.structs import replace
from unit.vault.fakes import NOW, alice, tokens

from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.key_file import (
    KeyFile,
    add_key,
    make_primary,
    new_key_line,
    read_or_make_key_file,
)
from webex_oauth.vault.ledger import Admission, Ledger
from webex_oauth.vault.records import Grant, Profile, Session, revocation_of
from webex_oauth.vault.reencryption import SEALED
from webex_oauth.vault.rescue import Spool, Spooled
from webex_oauth.vault.rows import Change, Row
from webex_oauth.vault.sealing import Sealer, key_id_of

MADE_ON = date(2027, 1, 15)


class FakeRows(MemoryRows):
    """Rows that call `before_write` with each change first."""

    before_write: Callable[[Change], object] = staticmethod(lambda _: None)

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        for change in changes:
            self.before_write(change)
        return await super().apply(changes, durably=durably)

    def write_now(self, row: Row) -> None:
        """Write a row as another process does in the middle of things."""
        self._rows[row.kind, row.name] = replace(row, rev=self._read(row).rev + 1)


@dataclass
class KeyFixture:
    """A process whose key file is at *path*."""

    path: Path
    rows: FakeRows = field(default_factory=FakeRows)

    def __post_init__(self) -> None:
        self.keys: KeyFile = read_or_make_key_file(self.path, os.urandom, MADE_ON)
        self.sealer = Sealer(self.keys, os.urandom)
        self.spool = Spool(self.path.parent / "spool", os.urandom)
        self.spool.open()

    def next_key(self) -> str:
        """Add a key to the file and make it primary; no process has looked at the file yet."""
        key_id = add_key(self.path, new_key_line(os.urandom, MADE_ON)).others[-1].id
        make_primary(self.path, key_id)
        return key_id

    def fresh_sealer(self) -> Sealer:
        """Return the sealer of a process that starts now."""
        return Sealer(KeyFile(self.path), os.urandom)

    async def sign_in(
        self, number: int, sealer: Sealer | None = None, *, email: str | None = None
    ) -> Grant:
        """Write a mark, a session and a grant; return the grant."""
        ledger = Ledger(self.rows, sealer or self.sealer, 600)
        state, grant = bytes([number]) * 32, replace(person(number), profile=Profile(email=email))
        await ledger.admit(
            Admission(
                mark=await ledger.take_state(state, NOW + 600, NOW),
                state_digest=state,
                grant=grant,
                over=(await ledger.earlier_grant(grant.key)).rev,
                session=Session(os.urandom(32), grant.key, Profile(), NOW, NOW, NOW + 9999),
                earlier=None,
                replaced_session=None,
                keeps_grants=False,
                at=NOW,
            )
        )
        return grant

    async def fill(self, number: int = 1) -> Grant:
        """Write a row of each kind, and a file of the spool; return the grant."""
        grant = await self.sign_in(number)
        ledger = Ledger(self.rows, self.sealer, 600)
        await ledger.add_revocation(revocation_of(grant, NOW))
        self.spool.add(Spooled(grant.key, ledger.seal_grant(grant)))
        return grant

    def sealed(self) -> list[Row]:
        """List the sealed rows, and the files of the spool as rows."""
        return [row for row in self.rows._rows.values() if row.kind in SEALED]

    def key_ids(self) -> Counter[str]:
        """Count the bodies under each key, those of the spool too."""
        files = [spooled.body for _, spooled in self.spool.all()]
        return Counter(map(key_id_of, [*(row.body for row in self.sealed()), *files]))

    def break_row(self, row: Row) -> bytes:
        """Flip a bit in the body of a row; return the body."""
        body = row.body[:-1] + bytes([row.body[-1] ^ 1])
        self.rows.write_now(replace(row, body=body))
        return body


def person(number: int) -> Grant:
    return replace(alice(tokens(f"access {number}")), subject=f"person {number}", version=1)


async def no_wait(_: float) -> None:
    """Return at once, instead of sleeping."""
