"""What the URL of rows on a server may contain."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict

from webex_oauth.errors import ConfigurationError
from webex_oauth.secret import Secret
from webex_oauth.stores.postgres.rows import PostgresRows
from webex_oauth.stores.postgres.url import POOL_SIZE, SCHEMA, read_postgres_url
from webex_oauth.stores.redis.address import Address, connection_options, read_address

POSTGRES = "postgresql://mira:top-secret@db.example/webex"
TLS = "rediss://us%40er:p%2Fw@[::1]:6380/3"
SHORT = Address("db.example", 6379, False, None, None, 0, b"{webex-oauth}:", 8, None, True)
LONG = Address("::1", 6380, True, "us@er", Secret("p/w"), 3, b"{mine}:", 2, __file__, False)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://db.example", SHORT),
        ("redis://db.example?prefix=mine", replace(SHORT, prefix=b"{mine}:")),
        (
            f"{TLS}?prefix=mine&pool_size=2&ca_file={__file__}&durability=unchecked",
            LONG,
        ),
    ],
)
def test_a_url_of_redis_says_where_the_server_is_and_what_was_chosen(
    url: str, address: Address
) -> None:
    assert read_address(url) == address


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("", (SCHEMA, POOL_SIZE, True)),
        ("?schema=other&pool_size=3&durability=unchecked", ("other", 3, False)),
    ],
)
def test_what_a_url_of_postgresql_says_for_us_is_not_passed_on(
    query: str, chosen: tuple[str, int, bool]
) -> None:
    url = read_postgres_url(POSTGRES + query)

    assert (url.schema, url.pool_size, url.checks_durability) == chosen
    passed = conninfo_to_dict(url.conninfo.reveal())
    assert not {"schema", "pool_size", "durability"} & passed.keys()


def test_libpqs_settings_are_passed_on() -> None:
    url = read_postgres_url(f"{POSTGRES}?sslmode=verify-full&pool_size=3&keepalives_idle=7")

    passed = conninfo_to_dict(url.conninfo.reveal())
    assert passed["sslmode"] == "verify-full"
    assert passed["keepalives_idle"] == "7"
    assert passed["keepalives_count"] == "3"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("p%40ss%2Fw%3Aord", "p@ss/w:ord"), ("%25", "%"), ("a%20b", "a b"), ("'\\", "'\\")],
)
def test_a_password_is_what_was_percent_encoded(written: str, meant: str) -> None:
    url = read_postgres_url(f"postgresql://mira:{written}@db.example/webex?schema=other")

    assert conninfo_to_dict(url.conninfo.reveal())["password"] == meant


@pytest.mark.parametrize(
    ("url", "mistake"),
    [
        ("redis://:top-secret@", "must be redis://"),
        ("http://:top-secret@db", "must be redis://"),
        ("redis://:top-secret@db:port", "must be redis://"),
        ("redis://:top-secret@db:99999", "must be redis://"),
        ("redis://:top-secret@[::1", "must be redis://"),
        ("redis://:top-secret@db/main", "as the database"),
        ("redis://:top-secret@db/-1", "as the database"),
        ("redis://:top-secret@db/1001", "as the database"),
        ("redis://:top-secret@db/²", "as the database"),
        ("redis://:top-secret@db?pool_size=0", "pool_size in"),
        ("redis://:top-secret@db?pool_size=many", "pool_size in"),
        ("redis://:top-secret@db?pool_size=1001", "pool_size in"),
        ("redis://:top-secret@db?prefix={a}", "prefix in"),
        ("redis://:top-secret@db?prefix=", "prefix in"),
        ("redis://:top-secret@db?durability=checked", "durability in"),
        ("redis://:top-secret@db?db=1", "unknown option"),
        ("redis://me:12?top-secret@db/0", "unknown option"),
        (f"redis://:top-secret@db?ca_file={__file__}", "needs rediss://"),
        ("rediss://:top-secret@db?ca_file=nowhere.pem", "is not there"),
        (f"{POSTGRES}?schema=Web-Ex", "schema in"),
        (f"{POSTGRES}?schema=x;drop", "schema in"),
        (f"{POSTGRES}?schema=", "schema in"),
        (f"{POSTGRES}?pool_size=0", "pool_size in"),
        (f"{POSTGRES}?pool_size=many", "pool_size in"),
        (f"{POSTGRES}?pool_size=101", "pool_size in"),
        (f"{POSTGRES}?durability=none", "durability in"),
        (f"{POSTGRES}?durability=unchecked%20", "durability in"),
        (f"{POSTGRES}?unknown=top-secret", "cannot be read"),
        (POSTGRES.replace("-", "%zz"), "percent-encoded"),
    ],
)
def test_a_wrong_url_is_refused_without_repeating_its_password(url: str, mistake: str) -> None:
    read: Callable[[str], object] = (
        read_postgres_url if url.startswith("postgresql:") else read_address
    )
    with pytest.raises(ConfigurationError) as refused:
        read(url)

    assert mistake in str(refused.value)
    assert "WEBEX_STORE_URL" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__ or "zz" not in url


def test_a_certificate_is_always_verified() -> None:
    options = connection_options(read_address("rediss://db"))

    assert options["ssl_cert_reqs"] == "required"
    assert options["ssl_check_hostname"] is True


def test_the_password_is_not_printed() -> None:
    rows = PostgresRows(POSTGRES)

    assert "secret" not in f"{rows!r} {vars(rows)!r}"
