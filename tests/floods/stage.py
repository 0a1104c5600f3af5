"""The stage: `serve` in a process of its own, a local Webex beside it, and a view of its store."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from edges.command import Server, env_text, server, wait_until_listening
from floods.meters import Reading, read_meters
from services.processes import free_port

from webex_oauth.emulator import Emulator, Options, RunningEmulator
from webex_oauth.flows.cookies import CookieJar
from webex_oauth.oauth.server import Client
from webex_oauth.secret import Secret
from webex_oauth.vault.rows import Kind

SECONDS = 30


@dataclass(frozen=True, slots=True)
class Stage:
    """An application at work."""

    process: Server
    emulator: Emulator
    port: int
    database: Path

    @property
    def cookies(self) -> CookieJar:
        """The application's cookies."""
        redirect_uri = f"http://localhost:{self.port}/oauth"
        return CookieJar(Client(self.emulator.integration.client_id, Secret(""), redirect_uri))

    def meters(self) -> Reading:
        """Read what the application holds just now."""
        (worker,) = self.process.worker_ids
        return read_meters(worker, self.database)

    def count(self, kind: Kind) -> int:
        """Count the rows of one kind in the store."""
        with closing(sqlite3.connect(self.database, timeout=SECONDS)) as database:
            counted = database.execute("SELECT count(*) FROM rows WHERE kind = ?", (kind,))
            return int(counted.fetchone()[0])


@contextmanager
def open_stage(folder: Path, options: Options) -> Iterator[Stage]:
    """Run an application and its Webex."""
    port, database = free_port(), folder / "data" / "webex.sqlite"
    more = {"WEBEX_STORE_URL": f"sqlite:///{database}"}
    with RunningEmulator(options=options) as running:
        (folder / ".env").write_text(env_text(running.emulator, port, more))
        with server(folder, "serve") as process:
            process.line_with("Open ")
            wait_until_listening(port)
            yield Stage(process, running.emulator, port, database)
