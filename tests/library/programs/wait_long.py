"""Wait for something that takes long, until Ctrl-C."""

import asyncio

from webex_oauth import Integration

webex = Integration()
list(webex.grants.list())


async def wait() -> None:
    print("waiting", flush=True)
    await asyncio.sleep(60)


try:
    webex._runner.run(wait())
except KeyboardInterrupt:
    print("interrupted", flush=True)
