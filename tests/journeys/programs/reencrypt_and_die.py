"""Re-encrypt, and be killed in the middle: after so many rows, before the next is on the disk."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from webex_oauth.stores.sqlite.rows import SqliteRows
from webex_oauth.vault.key_file import KeyFile
from webex_oauth.vault.reencryption import Reencryption
from webex_oauth.vault.rescue import Spool
from webex_oauth.vault.rows import Change
from webex_oauth.vault.sealing import Sealer


class DoomedRows(SqliteRows):
    """Rows whose process dies."""

    rows_left: int

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        if not self.rows_left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.rows_left -= 1
        return await super().apply(changes, durably=durably)


async def main(database: Path, key_file: Path, count: int) -> None:
    rows = DoomedRows(database)
    rows.rows_left = count
    await rows.open()
    sealer = Sealer(KeyFile(key_file), os.urandom)
    spool = Spool(key_file.parent / "spool", os.urandom)
    await Reencryption(rows, spool, sealer, lambda _: None).run()


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
