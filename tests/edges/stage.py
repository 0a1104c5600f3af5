"""A stage: a scene whose store can be made to fail, and one client that is signed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edges.client import Client, signed_in
from failing_rows import FailingRows, asked, nothing
from scene import Scene


@dataclass(frozen=True, slots=True)
class Stage:
    """A scene, the store behind it, and one client that is signed in."""

    scene: Scene
    store: FailingRows
    signed_in: Client

    def client(self) -> Client:
        """Open a client that has never been here."""
        return Client(self.scene)

    @contextmanager
    def failing_store(self, failure: Exception) -> Iterator[None]:
        """Make every call of the store fail."""
        self.store.fails, self.store.error = asked, failure
        try:
            yield
        finally:
            self.store.fails = nothing


@contextmanager
def open_stage(folder: Path, public_uri: str | None = None) -> Iterator[Stage]:
    """Raise a stage for as long as the block lasts."""
    store = FailingRows()
    with Scene(folder, rows=store, public_uri=public_uri) as scene:
        yield Stage(scene, store, signed_in(scene))
