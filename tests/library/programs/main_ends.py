"""Use an integration in a thread that goes on when the main thread has ended."""

import threading
from pathlib import Path

from webex_oauth import Event, Integration, Secret

webex, heard = Integration(), threading.Event()


@webex.events.on("grant.created")
def hear(event: Event) -> None:
    print("heard of", webex.grants.get(event.person_id).display_name, flush=True)
    heard.set()


def work() -> None:
    threading.main_thread().join()
    access, refresh = map(Secret, Path("tokens").read_text().split())
    webex.grants.adopt(access, refresh, scopes=webex.settings.scopes)
    heard.wait(30)


threading.Thread(target=work).start()
