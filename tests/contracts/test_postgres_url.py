"""What a store's URL for PostgreSQL may say."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.postgres import PostgresRows
from webex_oauth.stores.postgres.url import POOL_SIZE, SCHEMA, read_postgres_url

PLAIN = "postgresql://mira:hidden@db.example/webex"


def test_a_plain_url_has_our_defaults() -> None:
    url = read_postgres_url(PLAIN)

    assert (url.schema, url.pool_size, url.checks_durability) == (SCHEMA, POOL_SIZE, True)


def test_our_settings_are_taken_and_not_passed_on() -> None:
    url = read_postgres_url(f"{PLAIN}?schema=other&pool_size=3&durability=unchecked")

    assert (url.schema, url.pool_size, url.checks_durability) == ("other", 3, False)
    assert (
        not {"schema", "pool_size", "durability"} & conninfo_to_dict(url.conninfo.reveal()).keys()
    )


def test_libpqs_settings_are_passed_on() -> None:
    url = read_postgres_url(f"{PLAIN}?sslmode=verify-full&pool_size=3&keepalives_idle=7")

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
    "query",
    [
        "schema=Web-Ex",
        "schema=x;drop",
        "schema=",
        "pool_size=0",
        "pool_size=many",
        "pool_size=101",
        "durability=none",
        "durability=unchecked%20",
        "unknown=hidden",
    ],
)
def test_what_cannot_be_meant_is_refused(query: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_postgres_url(f"{PLAIN}?{query}")

    assert "WEBEX_STORE_URL" in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_password_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="percent-encoded") as refused:
        read_postgres_url("postgresql://mira:hid%zzden@db.example/webex")

    assert refused.value.__suppress_context__
    assert "zz" not in str(refused.value)


def test_the_password_is_not_printed() -> None:
    rows = PostgresRows(PLAIN)

    assert "hidden" not in f"{rows!r} {vars(rows)!r}"
