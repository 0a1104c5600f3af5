"""The two origins of the local Webex, and the name under which a client reaches each of them."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_PORT_BY_SCHEME = {"http": 80, "https": 443}
_PORTS = 65_536


@dataclass(frozen=True, slots=True)
class Origin:
    """One origin: the configured one or, unless it is fixed, the name that the client used.

    The same server is `127.0.0.1`, `localhost` and, in a container, a name of its network. A link
    works for the client that asked only if it keeps the name by which the client asked.
    """

    configured: str
    is_fixed: bool = False

    def as_asked(self, scope: Scope) -> str:
        """Return this origin under the name that a request to it used."""
        host = self._host(scope)
        return _join(scope["scheme"], host["name"], host["port"]) if host else self.configured

    def beside(self, scope: Scope) -> str:
        """Return this origin under the name that a request to the other one used."""
        host, port = self._host(scope), urlsplit(self.configured).port
        return _join(scope["scheme"], host["name"], port) if host else self.configured

    def _host(self, scope: Scope) -> re.Match[str] | None:
        return None if self.is_fixed else _HOST.fullmatch(Headers(scope=scope).get("host", ""))


@dataclass(frozen=True, slots=True)
class Origins:
    """The front door, where the REST API answers, and the broker, where people sign in."""

    front_door: Origin
    broker: Origin

    @classmethod
    def at(cls, front_door: str, broker: str, *, are_fixed: bool = False) -> Self:
        """Return the origins at two addresses; raise `ValueError` for one that is not an origin."""
        for one in (front_door, broker):
            _check_origin(one)
        return cls(Origin(front_door, are_fixed), Origin(broker, are_fixed))


def fixed_origins(bound: Origins, front_door: str | None, broker: str | None) -> Origins:
    """Return the origins to name in every link; raise `ValueError` for one that is not an origin.

    Without a *broker* it is at the front door's host, on the port that it is bound to.
    """
    if front_door is None:
        front_door = bound.front_door.configured
    if broker is None:
        scheme, host = _check_origin(front_door)
        broker = _join(scheme, host, urlsplit(bound.broker.configured).port)
    return Origins.at(front_door, broker, are_fixed=True)


def _check_origin(text: str) -> tuple[str, str]:
    scheme, separator, host = text.partition("://")
    found = _HOST.fullmatch(host)
    is_port = found and (found["port"] is None or 0 < int(found["port"]) < _PORTS)
    if found is None or not is_port or not separator or scheme not in _PORT_BY_SCHEME:
        raise ValueError(f"{text!r} is not an origin like http://webex.test:8090")
    return scheme, found["name"]


def _join(scheme: str, name: str, port: str | int | None) -> str:
    is_default = port is None or int(port) == _PORT_BY_SCHEME.get(scheme)
    return f"{scheme}://{name}" if is_default else f"{scheme}://{name}:{port}"
