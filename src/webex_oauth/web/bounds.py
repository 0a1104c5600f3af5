"""What the server lets its peers take; the application has bounds of its own."""

from dataclasses import dataclass
from typing import Final

MAX_CONNECTIONS: Final = 4096
HEAD_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """What peers may take of a server, and how long its end may last.

    A head must be whole within *head_seconds*; a connection may rest for *idle_seconds* between
    two requests. A server that stops takes connections for *accepting_seconds* more, keeps idle
    ones for *parting_seconds*, and waits *drain_seconds* for answers under way.
    """

    connections: int = MAX_CONNECTIONS
    head_seconds: float = HEAD_SECONDS
    idle_seconds: int = 30
    accepting_seconds: float = 1
    parting_seconds: int = 1
    drain_seconds: int = 20


SHIPPED = Bounds()
AT_ONCE = Bounds(accepting_seconds=0, parting_seconds=0)
