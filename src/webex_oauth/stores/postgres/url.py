"""The store's URL: how to reach PostgreSQL (libpq's parameters), and three settings of ours."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from webex_oauth.errors import ConfigurationError
from webex_oauth.secret import Secret

SCHEMA = "webex_oauth"
POOL_SIZE = 8
MAX_POOL_SIZE = 100
SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
UNCHECKED = "unchecked"
UNREADABLE = (
    "WEBEX_STORE_URL cannot be read: write postgresql://USER:PASSWORD@HOST/DATABASE, with what "
    "is special in user and password percent-encoded"
)
OURS = frozenset({"schema", "pool_size", "durability"})

# A connection whose other end vanished is noticed, in use or not, within half a minute.
DEFAULTS = {
    "fallback_application_name": "webex-oauth",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """What a URL says.

    `conninfo` is libpq's and holds the password; `place` is host:port, for messages. With
    `durability=unchecked` the server may confirm what is not on its disk yet.
    """

    conninfo: Secret
    place: str
    schema: str
    pool_size: int
    checks_durability: bool


def read_postgres_url(url: str) -> PostgresUrl:
    """Read `postgresql://...?schema=...&pool_size=...`; raise ConfigurationError."""
    parts = urlsplit(url)
    fields = [field.partition("=") for field in parts.query.split("&") if field]
    ours = {name: unquote(value) for name, _, value in fields if name in OURS}
    theirs = "&".join(f"{name}={value}" for name, _, value in fields if name not in OURS)
    conninfo, place = _read_conninfo(parts._replace(query=theirs).geturl())
    return PostgresUrl(
        conninfo=conninfo,
        place=place,
        schema=_read_schema(ours.get("schema", SCHEMA)),
        pool_size=_read_pool_size(ours.get("pool_size", str(POOL_SIZE))),
        checks_durability=_read_durability(ours.get("durability")),
    )


def _read_conninfo(url: str) -> tuple[Secret, str]:
    try:
        named = conninfo_to_dict(url)
        text = make_conninfo(url, **{k: v for k, v in DEFAULTS.items() if k not in named})
        return Secret(text), f"{named.get('host', 'localhost')}:{named.get('port', 5432)}"
    except ProgrammingError:
        # libpq repeats what it cannot read, and that may be a part of the password.
        raise ConfigurationError([UNREADABLE]) from None


def _read_schema(name: str) -> str:
    if not SCHEMA_NAME.fullmatch(name):
        raise ConfigurationError(
            ["schema in WEBEX_STORE_URL must be made of a to z, 0 to 9 and _, such as webex_oauth"]
        )
    return name


def _read_pool_size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_POOL_SIZE:
        raise ConfigurationError(
            [f"pool_size in WEBEX_STORE_URL must be a number from 1 to {MAX_POOL_SIZE}"]
        )
    return int(text)


def _read_durability(text: str | None) -> bool:
    if text not in (None, UNCHECKED):
        raise ConfigurationError(
            [f"durability in WEBEX_STORE_URL can only be {UNCHECKED}, or be left out"]
        )
    return text is None
