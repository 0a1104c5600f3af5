"""The store's URL: where the server is, the credentials, and what the operator chose."""

import re
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from msgspec import Struct
from redis.asyncio.connection import AbstractConnection

from webex_oauth.errors import ConfigurationError
from webex_oauth.ports import host_and_port
from webex_oauth.secret import Secret
from webex_oauth.stores.store import DURABILITY, Option, read_options

DEFAULT_PORT = 6379
DEFAULT_PREFIX = "webex-oauth"
DEFAULT_POOL_SIZE = 8
SCHEMES = {"redis": False, "rediss": True}
NUMBER = r"[0-9]{1,3}|1000"
# The client does not tell its name: the server's rules may forbid it. Older drivers spell it so.
UNNAMED: dict[str, None] = dict.fromkeys(
    ("driver_info",)
    if "driver_info" in signature(AbstractConnection).parameters
    else ("lib_name", "lib_version")
)
OPTIONS = {
    "prefix": Option(
        DEFAULT_PREFIX,
        r"[A-Za-z0-9_.:-]{1,64}",
        "must be made of letters, digits, dots, colons, dashes and underscores",
    ),
    "pool_size": Option(
        str(DEFAULT_POOL_SIZE), rf"(?!0+$)({NUMBER})", "must be a number from 1 to 1000"
    ),
    "ca_file": Option("", ".*", ""),
    "durability": DURABILITY,
}
MUST_BE = "must be redis://[user:password@]host[:port][/database], or rediss:// for TLS"


class Address(Struct, frozen=True):
    """A store's URL, read.

    `prefix` begins every key. It has braces, a hash tag, so that a cluster keeps all keys in one
    slot, where a script can reach them.
    """

    host: str
    port: int
    is_tls: bool
    username: str | None
    password: Secret | None
    database: int
    prefix: bytes
    pool_size: int
    ca_file: str | None
    is_durability_checked: bool

    @property
    def place(self) -> str:
        """Return where the server is, for messages."""
        return host_and_port(self.host, self.port)


def read_address(url: str) -> Address:
    """Read a store's URL; raise ConfigurationError, which does not repeat it."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
    except ValueError as error:
        raise _malformed(MUST_BE) from error
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise _malformed(MUST_BE)
    database = parts.path.strip("/") or "0"
    if not re.fullmatch(NUMBER, database):
        raise _malformed("needs a number from 0 to 1000 as the database")
    options = _read_options(parts)
    return Address(
        host=parts.hostname,
        port=port,
        is_tls=SCHEMES[parts.scheme],
        username=unquote(parts.username) if parts.username else None,
        password=Secret(unquote(parts.password)) if parts.password else None,
        database=int(database),
        prefix=b"{%s}:" % options["prefix"].encode(),
        pool_size=int(options["pool_size"]),
        ca_file=options["ca_file"] or None,
        is_durability_checked=not options["durability"],
    )


def _read_options(parts: SplitResult) -> Mapping[str, str]:
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if given.keys() - OPTIONS:
        # Not named: a password that was not quoted may have ended up there.
        raise _malformed(f"has an unknown option; there are {', '.join(sorted(OPTIONS))}")
    if "ca_file" in given and not SCHEMES[parts.scheme]:
        raise _malformed("has a ca_file, which needs rediss://")
    if "ca_file" in given and not Path(given["ca_file"]).is_file():
        raise _malformed(f"names {given['ca_file']} as ca_file, which is not there")
    return read_options(given, OPTIONS)


def _malformed(what: str) -> ConfigurationError:
    return ConfigurationError([f"WEBEX_STORE_URL {what}"])


def connection_options(address: Address) -> dict[str, Any]:
    """Return redis-py's options for a connection.

    It must not retry, since a repeated command may take effect twice, and it has no timeouts of its
    own, since each call has one deadline.
    """
    password = address.password
    options: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "username": address.username,
        "password": password.reveal() if password else None,
        "db": address.database,
        "protocol": 2,
        "socket_timeout": None,
        "socket_connect_timeout": None,
        **UNNAMED,
    }
    if address.is_tls:
        options |= {
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_ca_certs": address.ca_file,
        }
    return options
