"""What the Redis store asks of its server before it is used, and what it tells the operator."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from contracts.redis_stores import opened
from contracts.rows import NOW, admission, attempt, grant, name, revocation
from services.processes import free_port
from services.redis import (
    HOST,
    PASSWORD,
    QUOTED,
    RedisServer,
    fresh_prefix,
    running_redis,
    running_tls_redis,
)
from waiting import until_true

from webex_oauth.errors import ConfigurationError, StoreUnavailable
from webex_oauth.stores.redis import RedisStore
from webex_oauth.stores.redis.durability import Persistence, find_mistakes

pytestmark = pytest.mark.anyio

SOUND = Persistence(appends=True, fsync="everysec", max_memory_bytes=0, eviction="noeviction")


async def refusal(url: str) -> str:
    """Open a store that cannot be opened, and give what the operator is told."""
    with pytest.raises(ConfigurationError) as refused:
        await RedisStore(url).open()
    assert PASSWORD not in str(refused.value)
    assert QUOTED not in str(refused.value)
    return str(refused.value)


@pytest.fixture(scope="module")
def adjustable_redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.mark.parametrize(
    ("persistence", "remedies"),
    [
        (SOUND, []),
        (Persistence(True, "always", 0, "noeviction"), []),
        (Persistence(True, "everysec", 10**9, "noeviction"), []),
        (Persistence(True, "everysec", 0, "allkeys-lru"), []),
        (Persistence(None, None, None, None), []),
        (Persistence(False, "everysec", 0, "noeviction"), ["appendonly"]),
        (Persistence(False, None, None, None), ["appendonly"]),
        (Persistence(True, "no", 0, "noeviction"), ["appendfsync"]),
        (Persistence(True, "everysec", 10**9, "allkeys-lru"), ["maxmemory-policy"]),
        (Persistence(True, "everysec", 10**9, "volatile-ttl"), ["maxmemory-policy"]),
        (Persistence(False, "no", 1, "x"), ["appendonly", "appendfsync", "maxmemory-policy"]),
    ],
)
def test_what_forgets_is_a_mistake(persistence: Persistence, remedies: list[str]) -> None:
    mistakes = find_mistakes(persistence)

    assert len(mistakes) == len(remedies)
    assert all(
        f"set {remedy} to" in mistake for remedy, mistake in zip(remedies, mistakes, strict=True)
    )


@pytest.mark.parametrize(
    ("setting", "value", "sound"),
    [("appendonly", "no", "yes"), ("appendfsync", "no", "everysec")],
)
async def test_a_server_that_forgets_is_refused_with_the_remedy(
    adjustable_redis: RedisServer, setting: str, value: str, sound: str
) -> None:
    adjustable_redis.ask("CONFIG", "SET", setting, value)

    told = await refusal(adjustable_redis.url())

    assert f"set {setting} to" in told
    assert "durability=unchecked" in told
    adjustable_redis.ask("CONFIG", "SET", setting, sound)
    async with opened(adjustable_redis.url()) as store:
        await store.check()


async def test_a_server_that_evicts_is_refused_with_the_remedy(
    adjustable_redis: RedisServer,
) -> None:
    adjustable_redis.ask("CONFIG", "SET", "maxmemory", "100mb")
    adjustable_redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")

    told = await refusal(adjustable_redis.url())

    assert "set maxmemory-policy to noeviction" in told
    adjustable_redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    async with opened(adjustable_redis.url()) as store:
        await store.check()


async def test_an_operator_may_accept_a_server_that_forgets(
    adjustable_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    adjustable_redis.ask("CONFIG", "SET", "appendonly", "no")

    async with opened(adjustable_redis.url(durability="unchecked")) as store:
        await store.admit(admission())
        assert await store.find_grant(name("grant", 1)) == grant()

    told = [record for record in caplog.records if record.name.startswith("webex_oauth")]
    assert [record.levelno for record in told] == [logging.WARNING]
    assert "may lose tokens" in caplog.text
    adjustable_redis.ask("CONFIG", "SET", "appendonly", "yes")


async def test_a_sound_server_is_opened_without_a_warning(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(redis_server.url(prefix=fresh_prefix())) as store:
        await store.check()

    assert caplog.records == []


@pytest.mark.parametrize("forbidden", ["-config", "-config -info", "-@dangerous"])
async def test_a_server_that_does_not_say_what_it_keeps_is_opened_with_a_warning(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, forbidden: str
) -> None:
    rights = ["on", f">{PASSWORD}", "~*", "+@all", *forbidden.split()]
    redis_server.ask("ACL", "SETUSER", "careful", "reset", *rights)

    async with opened(redis_server.url(user="careful", prefix=fresh_prefix())) as store:
        await store.admit(admission())

    assert "does not say how it keeps data" in caplog.text


async def test_a_user_needs_the_keys_of_the_prefix_and_no_others(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    rights = ["on", f">{PASSWORD}", f"~{{{prefix}}}:*", "+@all"]
    redis_server.ask("ACL", "SETUSER", "narrow", "reset", *rights)

    async with opened(redis_server.url(user="narrow", prefix=prefix)) as store:
        await store.admit(admission())
        assert await store.sweep(now=NOW * 2, idle_seconds=1) == 1

    told = await refusal(redis_server.url(user="narrow", prefix=fresh_prefix()))
    assert "NOPERM" in told


async def test_a_wrong_password_is_told_apart_from_an_outage(redis_server: RedisServer) -> None:
    told = await refusal(f"redis://:wrong@127.0.0.1:{redis_server.port}/0")

    assert "check the user and the password" in told
    assert "wrong" not in told.replace("WRONGPASS", "")


async def test_a_password_that_is_missing_is_told(redis_server: RedisServer) -> None:
    told = await refusal(f"redis://127.0.0.1:{redis_server.port}/0")

    assert "check the user and the password" in told


async def test_a_database_that_is_not_there_is_told(redis_server: RedisServer) -> None:
    told = await refusal(redis_server.url(database=99))

    assert "check the number of the database" in told


async def test_databases_and_prefixes_are_places_of_their_own(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    async with (
        opened(redis_server.url(prefix=prefix)) as one,
        opened(redis_server.url(prefix=prefix, database=1)) as two,
        opened(redis_server.url(prefix=fresh_prefix())) as three,
    ):
        await one.admit(admission())

        assert await two.find_grant(name("grant", 1)) is None
        assert await three.find_grant(name("grant", 1)) is None


@pytest.mark.check("H06")
async def test_many_that_start_together_all_open(redis_server: RedisServer) -> None:
    url = redis_server.url(prefix=fresh_prefix())
    stores = [RedisStore(url) for _ in range(10)]

    await asyncio.gather(*(store.open() for store in stores))

    await stores[0].admit(admission())
    assert [await store.find_grant(name("grant", 1)) for store in stores] == [grant()] * 10
    await asyncio.gather(*(store.close() for store in stores))


@pytest.mark.check("H06")
async def test_what_a_newer_program_keeps_is_left_alone(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    redis_server.ask("SET", f"{{{prefix}}}:schema", 2)

    told = await refusal(redis_server.url(prefix=prefix))

    assert f"keeps under {{{prefix}}}: is of another version (2)" in told
    assert redis_server.ask("KEYS", f"{{{prefix}}}:*") == [f"{{{prefix}}}:schema".encode()]


async def test_every_key_is_in_one_slot_of_a_cluster(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    async with opened(redis_server.url(prefix=prefix)) as store:
        await store.admit(admission(keep_at=NOW, ends_at=NOW))

    keys = redis_server.ask("KEYS", f"*{prefix}*")

    assert len(keys) > 5
    assert {key.partition(b"}")[0] for key in keys} == {b"{" + prefix.encode()}


async def test_a_node_of_a_cluster_is_used() -> None:
    settings = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    with running_redis(**settings) as server:
        server.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        await until_true(lambda: b"cluster_state:ok" in server.ask("CLUSTER", "INFO"))

        async with opened(server.url()) as store:
            await store.add_attempt(attempt(), at_most=9, now=NOW)
            await store.take_attempt(name("state", 1), name("browser", 1), NOW)
            await store.admit(admission(keep_at=NOW))
            assert await store.due_grants(now=NOW, limit=9) == [grant(keep_at=NOW)]
            assert await store.end_grant(name("grant", 1), now=NOW) == revocation()
            assert await store.sweep(now=NOW * 2, idle_seconds=1) == 1


async def test_a_cluster_that_serves_no_slot_is_unavailable() -> None:
    settings = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    with (
        running_redis(**settings) as server,
        pytest.raises(StoreUnavailable, match="CLUSTERDOWN"),
    ):
        await RedisStore(server.url()).open()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_redis(authority: trustme.CA) -> Iterator[RedisServer]:
    with running_tls_redis(authority.issue_cert(HOST)) as server:
        yield server


async def test_a_server_with_a_known_certificate_is_used(
    tls_redis: RedisServer, authority: trustme.CA, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)

    async with opened(tls_redis.tls_url(ca_file=str(ca_file))) as store:
        await store.admit(admission())
        assert await store.find_grant(name("grant", 1)) == grant()


async def test_a_server_with_an_unknown_certificate_is_not_used(tls_redis: RedisServer) -> None:
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):
        await RedisStore(tls_redis.tls_url()).open()


async def test_a_server_with_another_ones_certificate_is_not_used(
    authority: trustme.CA, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)

    with (
        running_tls_redis(authority.issue_cert("another.example")) as server,
        pytest.raises(StoreUnavailable, match="certificate verify failed"),
    ):
        await RedisStore(server.tls_url(ca_file=str(ca_file))).open()


def test_the_password_is_not_shown(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url())
    shown = f"{store!r} {store._database.address!r} {store._database._pool._make_connection()!r}"

    assert PASSWORD not in shown
    assert QUOTED not in shown
