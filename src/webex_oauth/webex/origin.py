"""Origins (RFC 6454) to which secrets may travel."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from webex_oauth.errors import ConfigurationError

DEFAULT_PORTS = {"https": 443, "http": 80}
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII | re.IGNORECASE,
)
_HIGHEST_PORT = 65_535


def read_origin(text: str) -> str:
    """Return the one spelling of the origin in *text*.

    Raises ConfigurationError for what is not an origin, and for http beyond loopback.
    """
    parts = _ORIGIN.fullmatch(text)
    if parts is None:
        raise ConfigurationError([f"{text!r} is not an origin such as https://webexapis.com"])
    scheme, host = parts["scheme"].lower(), parts["host"].strip("[]")
    port = int(parts["port"] or DEFAULT_PORTS[scheme])
    if not 0 < port <= _HIGHEST_PORT:
        raise ConfigurationError([f"{text!r} has a port that cannot be"])
    if scheme == "http" and not is_loopback_host(host):
        raise ConfigurationError([f"{text!r} must use https, because tokens travel there"])
    return write_origin(scheme, host, port)


def write_origin(scheme: str, host: str, port: int | None) -> str:
    """Write an origin as browsers do: lower case, no default port, an IPv6 address in short."""
    address = _address(host)
    named = f"[{address}]" if isinstance(address, IPv6Address) else host.lower()
    if port in {None, DEFAULT_PORTS.get(scheme)}:
        return f"{scheme}://{named}"
    return f"{scheme}://{named}:{port}"


def is_loopback_host(host: str) -> bool:
    """Return whether a host, without brackets, is this machine."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
