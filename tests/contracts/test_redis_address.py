"""What the URL of rows in Redis may contain."""

import pytest

from webex_oauth.errors import ConfigurationError
from webex_oauth.secret import Secret
from webex_oauth.stores.redis.address import Address, connection_options, read_address


def test_a_short_url_is_enough() -> None:
    assert read_address("redis://db.example") == Address(
        host="db.example",
        port=6379,
        is_tls=False,
        username=None,
        password=None,
        database=0,
        prefix=b"{webex-oauth}:",
        pool_size=8,
        ca_file=None,
        is_durability_checked=True,
    )


def test_a_long_url_sets_everything() -> None:
    url = (
        "rediss://us%40er:p%2Fw@[::1]:6380/3"
        f"?prefix=mine&pool_size=2&ca_file={__file__}&durability=unchecked"
    )

    assert read_address(url) == Address(
        host="::1",
        port=6380,
        is_tls=True,
        username="us@er",
        password=Secret("p/w"),
        database=3,
        prefix=b"{mine}:",
        pool_size=2,
        ca_file=__file__,
        is_durability_checked=False,
    )


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
        ("redis://:top-secret@db/²", "as the database"),
        (
            "redis://:top-secret@db?pool_size=0",
            "pool_size in WEBEX_STORE_URL must be",
        ),
        (
            "redis://:top-secret@db?pool_size=many",
            "pool_size in WEBEX_STORE_URL must be",
        ),
        (
            "redis://:top-secret@db?pool_size=1001",
            "pool_size in WEBEX_STORE_URL must be",
        ),
        ("redis://:top-secret@db?prefix={a}", "prefix in WEBEX_STORE_URL must be"),
        ("redis://:top-secret@db?prefix=", "prefix in WEBEX_STORE_URL must be"),
        (
            "redis://:top-secret@db?durability=checked",
            "durability in WEBEX_STORE_URL can only",
        ),
        ("redis://:top-secret@db?db=1", "unknown option"),
        ("redis://me:12?top-secret@db/0", "unknown option"),
        (f"redis://:top-secret@db?ca_file={__file__}", "needs rediss://"),
        ("rediss://:top-secret@db?ca_file=nowhere.pem", "is not there"),
    ],
)
def test_a_wrong_url_is_refused_without_repeating_its_password(url: str, mistake: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_address(url)

    assert mistake in str(refused.value)
    assert "top-secret" not in str(refused.value)


def test_a_certificate_is_always_verified() -> None:
    options = connection_options(read_address("rediss://db"))

    assert options["ssl_cert_reqs"] == "required"
    assert options["ssl_check_hostname"] is True
