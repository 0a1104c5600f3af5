"""Follow events into the file `seen`; with an argument, stand still behind the first."""

import sys
import time
from pathlib import Path

from webex_oauth import Event, Integration


def take(event: Event) -> None:
    with Path("seen").open("a") as file:
        file.write(f"{event.person_id}\n")
    if sys.argv[1:]:
        time.sleep(60)


Integration().events.follow("audit", take)
