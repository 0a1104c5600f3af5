"""Serve the application of the settings on standard input, in one more process, until it closes."""

import asyncio
import json
import logging
import sys

from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings
from webex_oauth.web.application import create_application
from webex_oauth.web.listening import Bounds, listening_socket
from webex_oauth.web.server import serve


async def main() -> None:
    settings = Settings.from_env(None, json.loads(sys.stdin.readline()))
    listener = listening_socket("127.0.0.1", 0)
    stop = asyncio.Event()
    async with open_integration(settings) as integration, asyncio.TaskGroup() as tasks:
        application = create_application(settings, integration)
        at_once = Bounds(accepting_seconds=0, parting_seconds=0)
        tasks.create_task(serve(application, listener, stop, at_once))
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        stop.set()


logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
asyncio.run(main())
