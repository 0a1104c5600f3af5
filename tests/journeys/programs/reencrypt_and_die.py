"""Re-encrypt, and be killed in the middle: after so many rows, before the next is on the disk."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.vault.keys import KeyFile
from webex_oauth.vault.records import SealedRecord
from webex_oauth.vault.reencryption import Reencryption
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.spool import Spool


class Doomed(SqliteStore):
    """A store under which the process dies."""

    rows_left: int

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        if not self.rows_left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.rows_left -= 1
        return await super().reseal(record, sealed)


async def main(database: Path, key_file: Path, rows: int) -> None:
    store = Doomed(database)
    store.rows_left = rows
    await store.open()
    sealer = Sealer(KeyFile(key_file), os.urandom)
    spool = Spool(key_file.parent / "spool", os.urandom)
    await Reencryption(store, spool, sealer, lambda _: None).run()


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
