"""Open a database by its URL at the same moment as others; print how it went."""

import asyncio
import sys

from webex_oauth.errors import WebexOAuthError
from webex_oauth.opening.store_urls import rows_at


async def main(place: str) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    rows = rows_at(place)
    try:
        await rows.open()
        await rows.check()
        await rows.close()
    except WebexOAuthError as error:
        print(type(error).__name__, error, flush=True)
    else:
        print("open", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
