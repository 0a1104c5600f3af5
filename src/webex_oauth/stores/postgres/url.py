"""The store's URL: how to reach PostgreSQL (libpq's parameters), and three settings of ours."""

from urllib.parse import unquote, urlsplit

from msgspec import Struct
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from webex_oauth.errors import ConfigurationError
from webex_oauth.ports import host_and_port
from webex_oauth.secret import Secret
from webex_oauth.stores.store import DURABILITY, Option, read_options

SCHEMA = "webex_oauth"
POOL_SIZE = 8
UNREADABLE = (
    "WEBEX_STORE_URL cannot be read: write postgresql://USER:PASSWORD@HOST/DATABASE, with what "
    "is special in user and password percent-encoded"
)
OURS = {
    "schema": Option(SCHEMA, r"[a-z_][a-z0-9_]{0,62}", "must be made of a to z, 0 to 9 and _"),
    "pool_size": Option(str(POOL_SIZE), r"[1-9][0-9]?|100", "must be a number from 1 to 100"),
    "durability": DURABILITY,
}

# A connection whose other end vanished is noticed, in use or not, within half a minute.
DEFAULTS = {
    "fallback_application_name": "webex-oauth",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


class PostgresUrl(Struct, frozen=True):
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
    given = {name: unquote(value) for name, _, value in fields if name in OURS}
    theirs = "&".join(f"{name}={value}" for name, _, value in fields if name not in OURS)
    conninfo, place = _read_conninfo(parts._replace(query=theirs).geturl())
    ours = read_options(given, OURS)
    return PostgresUrl(
        conninfo=conninfo,
        place=place,
        schema=ours["schema"],
        pool_size=int(ours["pool_size"]),
        checks_durability=not ours["durability"],
    )


def _read_conninfo(url: str) -> tuple[Secret, str]:
    try:
        named = conninfo_to_dict(url)
        text = make_conninfo(url, **{k: v for k, v in DEFAULTS.items() if k not in named})
        place = host_and_port(str(named.get("host", "localhost")), named.get("port", 5432))
        return Secret(text), place
    except ProgrammingError:
        # libpq repeats what it cannot read, and that may be a part of the password.
        raise ConfigurationError([UNREADABLE]) from None
