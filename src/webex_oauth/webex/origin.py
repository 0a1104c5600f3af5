"""Origins (RFC 6454) to which secrets may travel."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from webex_oauth.errors import ConfigurationError

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII | re.IGNORECASE,
)
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HIGHEST_PORT = 65_535


def read_origin(text: str) -> str:
    """Give the one spelling of the origin in *text*: lower case, no default port, no slash.

    Raises ConfigurationError for what is not an origin, and for http beyond loopback.
    """
    parts = _ORIGIN.fullmatch(text)
    if parts is None:
        raise ConfigurationError([f"{text!r} is not an origin such as https://webexapis.com"])
    scheme, host = parts["scheme"].lower(), parts["host"].lower()
    port = int(parts["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port <= _HIGHEST_PORT:
        raise ConfigurationError([f"{text!r} has a port that cannot be"])
    if scheme == "http" and not _is_loopback(host):
        raise ConfigurationError([f"{text!r} must use https, because tokens travel there"])
    return f"{scheme}://{host}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return _address(host).is_loopback
    except AddressValueError:
        return False


def _address(host: str) -> IPv4Address | IPv6Address:
    return IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
