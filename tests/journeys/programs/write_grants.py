"""Be a server as the rows sees it: sign people in, refresh and read, until standard input says so.

Ends with a line of JSON: how many grants it wrote, and everything that went wrong.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from datetime import date
from pathlib import Path

from journeys.sealed_people import NAMES, admit_person, read_person, refresh_person

from webex_oauth.errors import WebexOAuthError
from webex_oauth.stores.sqlite.rows import SqliteRows
from webex_oauth.vault.key_agreement import KeyWatch, open_keys
from webex_oauth.vault.key_file import KeyFile
from webex_oauth.vault.sealing import Sealer


async def main(database: Path, key_file: Path, name: str) -> None:
    rows = SqliteRows(database)
    await rows.open()
    keys = await open_keys(rows, key_file, None, os.urandom, date(2027, 1, 15))
    assert isinstance(keys, KeyFile)
    watch = asyncio.create_task(KeyWatch(keys, rows, os.urandom).run())
    over = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    print("ready", flush=True)
    sealer, done, numbers = Sealer(keys, os.urandom), Counter[str](), iter(range(10**9))
    while not over.done():
        number = next(numbers)
        try:
            await admit_person(rows, sealer, f"{name} {number % NAMES}", number)
            await refresh_person(rows, sealer, f"{name} {number // 2 % NAMES}", number)
            done["written"] += 1
            if await read_person(rows, sealer, f"{name} {number // 3 % NAMES}"):
                done["read"] += 1
        except WebexOAuthError as error:
            done[f"{type(error).__name__}: {error}"] += 1
        await asyncio.sleep(0.002)
    watch.cancel()
    await rows.close()
    print(json.dumps(done))


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
