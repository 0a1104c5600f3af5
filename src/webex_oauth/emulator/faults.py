"""The fault script: what goes wrong, with which requests, and how often."""

import threading
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from webex_oauth.emulator.conditions import checked

_MOST_BYTES = 1 << 34
_LONGEST_SECONDS = 3_600
_BODILESS = (204, 304)

_Seconds = Annotated[float, Meta(ge=0, le=_LONGEST_SECONDS)]
_Bytes = Annotated[int, Meta(ge=0, le=_MOST_BYTES)]

# RFC 9110 sections 5.1 and 5.5: anything else in a header would break the answer apart.
_HeaderName = Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")]
_HeaderValue = Annotated[str, Meta(pattern=r"^[\t -~\x80-\xff]*\Z")]
_Origin = Annotated[str, Meta(pattern=r"^https?://[A-Za-z0-9.:\[\]_-]+\Z")]
# The server frames the answer: a second length would contradict it.
_FRAMING_HEADERS = frozenset({"content-length", "transfer-encoding"})


class Answer(msgspec.Struct, frozen=True, tag="answer", forbid_unknown_fields=True):
    """Answer this instead of doing the work; `body` takes precedence over `text`."""

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    text: str = ""
    body: bytes = b""
    content_type: _HeaderValue = "application/json;charset=UTF-8"
    headers: dict[_HeaderName, _HeaderValue] = {}

    def __post_init__(self) -> None:
        """Refuse what HTTP cannot carry; `Raw` sends anything."""
        if self.status in _BODILESS and (self.text or self.body):
            raise ValueError(f"an answer with status {self.status} has no body")
        for name in filter(lambda name: name.lower() in _FRAMING_HEADERS, self.headers):
            raise ValueError(f"{name} is the server's own header: the action raw can send another")


class Drop(msgspec.Struct, frozen=True, tag="drop", forbid_unknown_fields=True):
    """Close the connection without an answer."""


class Reset(msgspec.Struct, frozen=True, tag="reset", forbid_unknown_fields=True):
    """Reset the connection (TCP RST) without an answer."""


class Raw(msgspec.Struct, frozen=True, tag="raw", forbid_unknown_fields=True):
    """Send these bytes, which need not be HTTP, and close the connection."""

    data: bytes


class Hang(msgspec.Struct, frozen=True, tag="hang", forbid_unknown_fields=True):
    """Send nothing until the client goes away or the limit is reached, then close."""

    limit_seconds: _Seconds = 60.0


class Huge(msgspec.Struct, frozen=True, tag="huge", forbid_unknown_fields=True):
    """Answer with a JSON text of this size, sent in pieces."""

    size_bytes: _Bytes = 64 * 1024 * 1024


class GzipBomb(msgspec.Struct, frozen=True, tag="gzip_bomb", forbid_unknown_fields=True):
    """Answer with a small body that inflates to this size."""

    size_bytes: _Bytes = 200 * 1024 * 1024


class Delay(msgspec.Struct, frozen=True, tag="delay", forbid_unknown_fields=True):
    """Wait, then do the work and answer as usual."""

    seconds: _Seconds


class Slow(msgspec.Struct, frozen=True, tag="slow", forbid_unknown_fields=True):
    """Do the work, then send the body in small pieces with pauses."""

    piece_bytes: Annotated[int, Meta(ge=1, le=_MOST_BYTES)] = 1
    pause_seconds: _Seconds = 0.5


class Truncate(msgspec.Struct, frozen=True, tag="truncate", forbid_unknown_fields=True):
    """Do the work, promise the whole body, send the first part of it and close."""

    kept_bytes: _Bytes = 10


class AfterCommit(msgspec.Struct, frozen=True, tag="after_commit", forbid_unknown_fields=True):
    """Do the work, discard its answer, then drop, reset, hang or answer something else."""

    then: Drop | Reset | Hang | Answer = Drop()


class NextLink(msgspec.Struct, frozen=True, tag="next_link", forbid_unknown_fields=True):
    """Do the work, but send a wrong `next` link with the list.

    `self`: back to the same page; `endless`: always to one more page; `empty`: an empty page
    that leads on; `foreign`: to `foreign_origin`, with the same path and query.
    """

    to: Literal["self", "endless", "empty", "foreign"]
    foreign_origin: _Origin = "http://127.0.0.1:9"


Instead = Answer | Drop | Reset | Raw | Hang | Huge | GzipBomb
"""What happens instead of the work."""

Action = Instead | Delay | Slow | Truncate | AfterCommit | NextLink


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to the matching requests number `after + 1` to `after + times`.

    `method` and `path` may be patterns with `*`; with `times` None the rule never ends.
    """

    action: Action
    method: Annotated[str, Meta(pattern=r"^[^a-z]+\Z")] = "*"
    path: Annotated[str, Meta(pattern=r"^[/*?\[]")] = "*"
    after: Annotated[int, Meta(ge=0)] = 0
    times: Annotated[int, Meta(ge=1)] | None = 1


class Faults:
    """The rules in force, in order; may be changed from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen_by_rule: list[tuple[FaultRule, int]] = []

    @property
    def rules(self) -> tuple[FaultRule, ...]:
        """The rules in force."""
        with self._lock:
            return tuple(rule for rule, _ in self._seen_by_rule)

    def add(
        self,
        method: str,
        path: str,
        action: Action,
        *,
        after: int = 0,
        times: int | None = 1,
    ) -> None:
        """Add a rule: let *after* matching requests pass, then apply it to the next *times*."""
        self.put(FaultRule(action=action, method=method, path=path, after=after, times=times))

    def put(self, rule: FaultRule) -> None:
        """Add a rule; raise `ValueError` if it cannot be carried out."""
        judged = checked(msgspec.to_builtins(rule), FaultRule)
        with self._lock:
            self._seen_by_rule.append((judged, 0))

    def clear(self) -> None:
        """Drop all rules."""
        with self._lock:
            self._seen_by_rule.clear()

    def strike(self, method: str, path: str) -> Action | None:
        """Count a request with all rules for it; return the action of the first that is due."""
        action: Action | None = None
        with self._lock:
            for position, (rule, seen) in enumerate(self._seen_by_rule):
                if not fnmatchcase(method, rule.method) or not fnmatchcase(path, rule.path):
                    continue
                self._seen_by_rule[position] = (rule, seen + 1)
                is_over = rule.times is not None and seen >= rule.after + rule.times
                if action is None and seen >= rule.after and not is_over:
                    action = rule.action
        return action
