"""Served: `webex-oauth serve` beside a local Webex whose access tokens are renewed all the time.

Every refresh takes a while, so that an outage meets some on the way. By default it spends its
refresh token, and a spent one that is presented again costs the grant.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import UUID

from crashes.arrivals import arrive
from crashes.local_webex import TOKEN_PATH
from crashes.people import NAMES, WITH_ROOMS, Person
from edges.command import Server, env_text, free_port, server, wait_until_listening
from torture import IS_TORTURE

from webex_oauth.emulator import (
    Delay,
    Emulator,
    Options,
    RunningEmulator,
    World,
    seeded_world,
    titled_rooms,
)
from webex_oauth.emulator.conditions import RefreshMode

NEWCOMER = "noor@acme.example"
NEWCOMERS_NAME = "Noor Haddad"
TOKEN_SECONDS = 1.0 if IS_TORTURE else 0.7
OPTIONS = Options(
    access_token_lifetime_seconds=61,  # good for one second, for who wants a minute of them
    requests_per_minute=0,
    access_token_quota=0,
)
RESCUED = "could not be stored and are rescued"


@dataclass(frozen=True, slots=True)
class Served:
    """An application at work, in a process of its own."""

    process: Server
    emulator: Emulator
    port: int

    def people(self, *, hangs_up: bool = False) -> list[Person]:
        """Sign everybody in."""
        arrivals = {email: arrive(self.port, email) for email in NAMES}
        assert all(arrival.is_admitted for arrival in arrivals.values())
        return [
            Person(email, arrival.cookies, self.port, hangs_up, WITH_ROOMS)
            for email, arrival in arrivals.items()
        ]

    def stranger(self, path: str) -> Person:
        """Bring somebody who is not signed in and asks for nothing else."""
        return Person(NEWCOMER, "", self.port, paths=(path,))

    def keep_tokens_back(self) -> None:
        """Let every answer of the token endpoint take a while."""
        self.emulator.faults.add("POST", TOKEN_PATH, Delay(TOKEN_SECONDS), times=None)

    def count(self, line: str) -> int:
        """Count what it has written."""
        return self.process.output.count(line)

    def latest_token_request(self) -> int:
        """Give the number of the token request that came last."""
        requests = self.emulator.journal.matching("POST", TOKEN_PATH)
        return max((request.number for request in requests), default=-1)


@contextmanager
def served(
    folder: Path, store_url: str, *options: str, refresh_mode: RefreshMode = "reuse-detect"
) -> Iterator[Served]:
    """Run an application on the store at *store_url*, and its Webex."""
    port, more = free_port(), {"WEBEX_STORE_URL": store_url, "DEBUG": ""}
    webex = replace(OPTIONS, refresh_mode=refresh_mode)
    with RunningEmulator(world=small_world(), options=webex) as running:
        (folder / ".env").write_text(env_text(running.emulator, port, more))
        with server(folder, "serve", *options) as process:
            process.line_with("Open ")
            wait_until_listening(port)
            yield Served(process, running.emulator, port)


def small_world() -> World:
    """Let everybody be in one space, which is named after them."""
    seeded, world = seeded_world(), World()
    known = {person.email: person for person in seeded.people}
    noor = replace(known["mira@acme.example"], uuid=str(UUID(int=1, version=4)), email=NEWCOMER)
    for person in (*(known[email] for email in NAMES), replace(noor, display_name=NEWCOMERS_NAME)):
        world.add_person(person, partial(titled_rooms, person, [f"{person.display_name} plans"]))
    return world
