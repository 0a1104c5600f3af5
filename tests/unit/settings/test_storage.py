"""Where things are kept: every store's URL, keys in the environment, and no password shown."""

import base64
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from unit.settings.examples import GOOD, mistakes, only_mistake, warnings

from webex_oauth.secret import Secret
from webex_oauth.settings import Settings
from webex_oauth.settings.places import STORE_URL_REMEDY, without_password
from webex_oauth.vault.key_file import read_keys

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
OLDER_KEY = base64.urlsafe_b64encode(bytes(range(32, 64))).decode()
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789!$&'()*+,;=%:@/", min_size=8, max_size=30)


@pytest.mark.parametrize(
    "url",
    [
        *("memory:", "sqlite:////data/vault.sqlite", "sqlite:////var/lib/webex-oauth/vault.sqlite"),
        "postgresql://webex:word@db.example:5432/webex?sslmode=verify-full&pool_size=4",
        *("postgresql:///webex?host=/run/postgresql", "redis://:word@cache.example:6379/1"),
        "rediss://cache.example",
    ],
)
def test_every_stores_url_is_taken(url: str) -> None:
    assert Settings.from_env(None, GOOD | {"WEBEX_STORE_URL": url}).store_url == url


@pytest.mark.parametrize(
    "url", ["sqlite:///", "sqlite://x", "postgres", "redis:word", "redis://h:port", "mysql://h/d"]
)
def test_another_url_is_refused_and_not_repeated(url: str) -> None:
    assert only_mistake(WEBEX_STORE_URL=url) == STORE_URL_REMEDY


@pytest.mark.check("E02")
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////data/vault.sqlite", "sqlite:////data/vault.sqlite"),
        ("memory:", "memory:"),
        ("postgresql://me:word@h/d", "postgresql://me:***@h/d"),
        ("postgresql://me:wo@r/d@h/d", "postgresql://me:***@h/d"),
        ("postgresql://h/d?user=me&password=word#x", "postgresql://h/d?user=me&password=***#x"),
        ("rediss://:word@h:6380/1", "rediss://:***@h:6380/1"),
        ("redis://h", "redis://h"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.check("E02")
@given(WORDS)
def test_no_password_whatever_is_in_it_is_shown(word: str) -> None:
    for scheme in ("postgresql", "redis", "rediss"):
        shown = without_password(f"{scheme}://me:{word}@db.example/name")

        assert shown == f"{scheme}://me:***@db.example/name"


@pytest.mark.check("E02")
def test_settings_show_none_of_their_secrets() -> None:
    proxy = "http://proxy-user:proxy-word@proxy.example:3128"
    secret = {"WEBEX_STORE_URL": "redis://:pass-word@h", "WEBEX_KEYS": f"k1 {KEY}"}

    settings = Settings.from_env(None, GOOD | secret | {"WEBEX_PROXY": proxy})

    for shown in ("pass-word", KEY, "proxy-word", GOOD["CLIENT_SECRET"]):
        assert shown not in repr(settings)


@pytest.mark.check("F04")
@pytest.mark.parametrize("between", [",", "\n", " , ", "\n\n"])
def test_keys_stand_in_the_environment_one_after_the_other(between: str) -> None:
    settings = Settings.from_env(None, GOOD | {"WEBEX_KEYS": f"k2 {KEY}{between}k1 {OLDER_KEY}"})

    assert isinstance(settings.keys, Secret)
    ring = read_keys(settings.keys.reveal(), "WEBEX_KEYS")
    assert (ring.primary.id, [key.id for key in ring.others]) == ("k2", ["k1"])


@pytest.mark.check("F04")
@pytest.mark.parametrize("text", ["changeme", "k1 c2hvcnQ=", f"k1 {KEY},k1 {KEY}", ",", f"{KEY}"])
def test_keys_in_the_environment_that_are_none_are_told_and_not_repeated(text: str) -> None:
    told = only_mistake(WEBEX_KEYS=text)

    assert "WEBEX_KEYS" in told
    assert KEY not in told


def test_keys_come_from_one_place() -> None:
    both = mistakes(WEBEX_KEYS=f"k1 {KEY}", WEBEX_KEYS_FILE="keys")

    assert both == ("WEBEX_KEYS and WEBEX_KEYS_FILE are both set: keep one of them",)


def test_the_spool_lies_beside_the_keys() -> None:
    settings = Settings.from_env(None, GOOD | {"WEBEX_KEYS_FILE": "/etc/webex-oauth/keys"})

    assert settings.spool_folder == Path("/etc/webex-oauth/spool")


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("redis://:pw@cache.example/0", "rediss://"),
        ("redis://10.0.0.9", "rediss://"),
        ("postgresql://a:b@db.example/x", "sslmode=verify-full"),
        ("postgresql://a:b@db.example/x?sslmode=require", "sslmode=verify-full"),
        ("postgresql://a:b@localhost,db.example/x?sslmode=prefer", "sslmode=verify-full"),
        ("postgresql://a:b@/x?host=db.example", "sslmode=verify-full"),
        ("postgresql://a:b@/x?hostaddr=10.0.0.9", "sslmode=verify-full"),
    ],
)
def test_a_store_elsewhere_without_tls_is_warned_of(url: str, remedy: str) -> None:
    told = warnings(WEBEX_STORE_URL=url)

    assert len(told) == 1
    assert told[0].startswith("WEBEX_STORE_URL leads to another machine")
    assert remedy in told[0]


@pytest.mark.parametrize(
    "url",
    [
        *("redis://localhost/0", "redis://[::1]:6379", "rediss://cache.example", "memory:"),
        *("postgresql://a:b@127.0.0.1:5432/x", "postgresql:///x?host=/run/postgresql"),
        "postgresql://a:b@db.example/x?sslmode=verify-full",
        "postgresql://a@%2Frun%2Fpostgresql/x",
    ],
)
def test_a_store_that_is_near_or_proved_is_not_warned_of(url: str) -> None:
    assert warnings(WEBEX_STORE_URL=url) == ()


def test_store_and_keys_of_a_public_application_are_kept_apart() -> None:
    public = {
        "WEBEX_REDIRECT_URI": "https://app.example/oauth",
        "WEBEX_STORE_URL": "sqlite:////srv/data/vault.sqlite",
    }

    told = warnings(**public, WEBEX_KEYS_FILE="/srv/data/keys")

    assert len(told) == 1
    assert "one folder, /srv/data," in told[0]
    assert warnings(**public, WEBEX_KEYS_FILE="/srv/keys/keys") == ()
