"""A local Webex: front door and identity broker on loopback, with a world of invented people.

It shares no code with the rest of the package, so that a shared mistake cannot hide.
"""

from webex_oauth.emulator.conditions import (
    MovableClock as MovableClock,
    Options as Options,
    Randomness as Randomness,
)
from webex_oauth.emulator.emulator import Emulator as Emulator
from webex_oauth.emulator.faults import (
    Action as Action,
    AfterCommit as AfterCommit,
    Answer as Answer,
    Delay as Delay,
    Drop as Drop,
    FaultRule as FaultRule,
    Faults as Faults,
    GzipBomb as GzipBomb,
    Hang as Hang,
    Huge as Huge,
    NextLink as NextLink,
    Raw as Raw,
    Reset as Reset,
    Slow as Slow,
    Truncate as Truncate,
)
from webex_oauth.emulator.identity.integrations import (
    CLIENT_ID_PREFIX as CLIENT_ID_PREFIX,
    CLIENT_SECRET_PREFIX as CLIENT_SECRET_PREFIX,
    Integration as Integration,
    new_integration as new_integration,
    read_sample_env as read_sample_env,
    sample_env as sample_env,
)
from webex_oauth.emulator.identity.tokens import IssuedTokens as IssuedTokens
from webex_oauth.emulator.journal import Entry as Entry, Journal as Journal, digest as digest
from webex_oauth.emulator.origins import (
    Origin as Origin,
    Origins as Origins,
    fixed_origins as fixed_origins,
)
from webex_oauth.emulator.server import (
    BeyondLoopback as BeyondLoopback,
    CannotListen as CannotListen,
    Listeners as Listeners,
    RunningEmulator as RunningEmulator,
    bind as bind,
    serve as serve,
)
from webex_oauth.emulator.visitor import Visitor as Visitor, VisitRefused as VisitRefused
from webex_oauth.emulator.world import (
    Person as Person,
    Room as Room,
    World as World,
    seeded_rooms as seeded_rooms,
    seeded_world as seeded_world,
    titled_rooms as titled_rooms,
)
