"""Applications on each kind of store, and what can be done to that store while they serve."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crashes.outages import NETWORK, Outage, behind_proxy, locked
from scene import Scene
from services.small_disk import filled, small_disk

VARIABLES = {"WEBEX_IDLE_SECONDS": "7776000", "WEBEX_ABSOLUTE_SECONDS": "7776000"}


@dataclass(frozen=True, slots=True)
class Stage:
    """An application at work; each outage lasts as long as its block."""

    scene: Scene
    outages: dict[str, Outage]


@contextmanager
def server_stage(folder: Path, store_url: str) -> Iterator[Stage]:
    """Run an application whose store is a server, behind a network that fails."""
    with behind_proxy(store_url) as (proxy, url):
        outages: dict[str, Outage] = {
            name: partial(proxy.outage, begin) for name, begin in NETWORK.items()
        }
        with Scene(folder, variables=VARIABLES | {"WEBEX_STORE_URL": url}) as scene:
            yield Stage(scene, outages)


@contextmanager
def file_stage(folder: Path) -> Iterator[Stage]:
    """Run an application all of whose files are on one disk that can be filled."""
    with small_disk(folder) as disk, Scene(disk, variables=VARIABLES) as scene:
        outages: dict[str, Outage] = {
            "locked": partial(locked, scene.data_folder / "vault.sqlite"),
            "disk full": partial(filled, disk),
        }
        yield Stage(scene, outages)
