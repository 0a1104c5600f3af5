"""A stage for keys: a key file, a store with one row of each kind, and a way to look inside."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.attempts import Attempt, seal_attempt
from webex_oauth.vault.grants import Grant, revocation_of, seal_grant
from webex_oauth.vault.key_changes import add_key, make_primary
from webex_oauth.vault.key_text import new_key_line
from webex_oauth.vault.keys import KeyFile, read_or_make_key_file
from webex_oauth.vault.records import GrantRecord, SealedRecord
from webex_oauth.vault.sealed_rows import all_rows, context_of
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.sessions import Profile, Session, seal_session
from webex_oauth.vault.spool import Spool
from webex_oauth.vault.store import ABSENT, Admission

NOW = 1_800_000_000
MADE_ON = date(2027, 1, 15)


@dataclass
class KeyStage:
    """A process with a key file, and its store."""

    path: Path
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.keys: KeyFile = read_or_make_key_file(self.path, os.urandom, MADE_ON)
        self.sealer = Sealer(self.keys, os.urandom)
        self.spool = Spool(self.path.parent / "spool", os.urandom)
        self.spool.open()

    def next_key(self) -> str:
        """Add a key to the file and make it primary; nobody has looked at the file yet."""
        key_id = add_key(self.path, new_key_line(os.urandom, MADE_ON)).others[-1].id
        make_primary(self.path, key_id)
        return key_id

    def fresh_sealer(self) -> Sealer:
        """Be a process that starts now."""
        return Sealer(KeyFile(self.path), os.urandom)

    async def sign_in(self, number: int, sealer: Sealer | None = None) -> GrantRecord:
        """Leave an attempt, a session and a grant behind; give the grant."""
        sealer = sealer or self.sealer
        state, digest = bytes([number]) * 32, bytes([number, 1]) * 16
        attempt = Attempt(Secret("v" * 43), "/", "https://op.example", "http://localhost/", ())
        sealed = seal_attempt(sealer, attempt, state, b"b" * 32, NOW + 600)
        await self.store.add_attempt(sealed, at_most=1000, now=NOW)
        grant = seal_grant(sealer, plain_grant(number), replacing=None)
        session = Session(digest, grant.key, Profile("p"), NOW, NOW, NOW + 9999)
        admission = Admission(
            grant=grant,
            expected_version=ABSENT,
            session=seal_session(sealer, session),
            attempt_state_digest=state,
            earlier=None,
            replaced_session=None,
            idle_seconds=600,
            keeps_grants=False,
        )
        await self.store.admit(admission)
        return grant

    async def fill(self, number: int = 1) -> GrantRecord:
        """Leave a row of every kind behind, and one in the spool; give the grant."""
        grant = await self.sign_in(number)
        earlier = replace(grant, key=b"e" * 32)
        context = context_of(earlier)
        earlier = replace(earlier, sealed=self.sealer.seal(b"tokens", context))
        await self.store.add_revocation(revocation_of(earlier, NOW))
        waiting = seal_grant(self.sealer, plain_grant(number), replacing=grant)
        self.spool.add(waiting)
        return grant

    async def rows(self) -> Sequence[SealedRecord]:
        """Give all rows, those in the spool too."""
        spooled: list[SealedRecord] = [self.spool.read(name) for name in self.spool.names()]
        return spooled + [row async for batch in all_rows(self.store) for row in batch]


def plain_grant(number: int) -> Grant:
    tokens = TokenSet(Secret(f"access {number}"), None, None, None, None)
    return Grant("https://op.example", f"person {number}", tokens, frozenset())
