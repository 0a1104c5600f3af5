"""A local Webex: front door and identity broker on loopback, with a world of invented people.

It shares no code with the rest of the package, so that a shared mistake cannot hide.
"""

from webex_oauth.emulator.conditions import MovableClock, Options, Randomness
from webex_oauth.emulator.emulator import Emulator
from webex_oauth.emulator.faults import (
    Action,
    AfterCommit,
    Answer,
    Delay,
    Drop,
    FaultRule,
    Faults,
    GzipBomb,
    Hang,
    Huge,
    NextLink,
    Raw,
    Reset,
    Slow,
    Truncate,
)
from webex_oauth.emulator.identity.integrations import (
    CLIENT_ID_PREFIX,
    CLIENT_SECRET_PREFIX,
    Integration,
    new_integration,
    read_sample_env,
    sample_env,
)
from webex_oauth.emulator.journal import Entry, Journal, digest
from webex_oauth.emulator.origins import Origin, Origins, fixed_origins
from webex_oauth.emulator.seed import seeded_rooms, seeded_world, titled_rooms
from webex_oauth.emulator.server import (
    BeyondLoopback,
    CannotListen,
    Listeners,
    RunningEmulator,
    listen,
    serve,
)
from webex_oauth.emulator.visitor import Visitor, VisitRefused
from webex_oauth.emulator.world import Person, Room, World

__all__ = [
    "CLIENT_ID_PREFIX",
    "CLIENT_SECRET_PREFIX",
    "Action",
    "AfterCommit",
    "Answer",
    "BeyondLoopback",
    "CannotListen",
    "Delay",
    "Drop",
    "Emulator",
    "Entry",
    "FaultRule",
    "Faults",
    "GzipBomb",
    "Hang",
    "Huge",
    "Integration",
    "Journal",
    "Listeners",
    "MovableClock",
    "NextLink",
    "Options",
    "Origin",
    "Origins",
    "Person",
    "Randomness",
    "Raw",
    "Reset",
    "Room",
    "RunningEmulator",
    "Slow",
    "Truncate",
    "VisitRefused",
    "Visitor",
    "World",
    "digest",
    "fixed_origins",
    "listen",
    "new_integration",
    "read_sample_env",
    "sample_env",
    "seeded_rooms",
    "seeded_world",
    "serve",
    "titled_rooms",
]
