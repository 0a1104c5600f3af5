"""What rows in Redis ask of their server when they are opened, and what the operator is told."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from contracts.places import opened
from contracts.samples import NOW, absent, deleted, read_one, rewritten, row, store
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
from webex_oauth.stores.redis.durability import find_mistakes
from webex_oauth.stores.redis.rows import RedisRows
from webex_oauth.vault.rows import Kind

pytestmark = pytest.mark.anyio


async def refusal(url: str) -> str:
    """Open rows that cannot be opened, and return what the operator is told."""
    with pytest.raises(ConfigurationError) as refused:
        await RedisRows(url).open()
    assert PASSWORD not in str(refused.value)
    assert QUOTED not in str(refused.value)
    return str(refused.value)


@pytest.fixture(scope="module")
def adjustable_redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.mark.parametrize(
    ("info", "fsync", "remedies"),
    [
        ("aof_enabled:1 maxmemory:0 maxmemory_policy:noeviction", "everysec", []),
        ("aof_enabled:1 maxmemory:0 maxmemory_policy:noeviction", "always", []),
        ("aof_enabled:1 maxmemory:1000000 maxmemory_policy:noeviction", "everysec", []),
        ("aof_enabled:1 maxmemory:0 maxmemory_policy:allkeys-lru", "everysec", []),
        ("", None, []),
        ("aof_enabled:0 maxmemory:0 maxmemory_policy:noeviction", "everysec", ["appendonly"]),
        ("aof_enabled:0", None, ["appendonly"]),
        ("aof_enabled:1 maxmemory:0 maxmemory_policy:noeviction", "no", ["appendfsync"]),
        ("aof_enabled:1 maxmemory:9 maxmemory_policy:allkeys-lru", "always", ["maxmemory-policy"]),
        ("aof_enabled:1 maxmemory:9 maxmemory_policy:volatile-ttl", "always", ["maxmemory-policy"]),
        (
            "aof_enabled:0 maxmemory:9 maxmemory_policy:x",
            "no",
            ["appendonly", "appendfsync", "maxmemory-policy"],
        ),
    ],
)
def test_settings_that_lose_tokens_are_mistakes(
    info: str, fsync: str | None, remedies: list[str]
) -> None:
    said = dict(line.split(":") for line in info.split())

    mistakes = "\n".join(find_mistakes(said, fsync))

    assert re.findall(r"set (\S+) to", mistakes) == remedies


async def test_a_server_that_loses_tokens_is_refused_with_the_remedies(
    adjustable_redis: RedisServer,
) -> None:
    lax = {"appendonly": "no", "appendfsync": "no", "maxmemory-policy": "allkeys-lru"}
    remedies = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
    for setting in {**lax, "maxmemory": "100mb"}.items():
        adjustable_redis.ask("CONFIG", "SET", *setting)
    for remedy in remedies.items():
        told = await refusal(adjustable_redis.url())
        assert "set {} to {}".format(*remedy) in told
        assert "durability=unchecked" in told
        adjustable_redis.ask("CONFIG", "SET", *remedy)

    async with opened(adjustable_redis.url()) as rows:
        await rows.check()


async def test_an_operator_may_accept_a_server_that_forgets(
    adjustable_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    adjustable_redis.ask("CONFIG", "SET", "appendonly", "no")

    async with opened(adjustable_redis.url(durability="unchecked")) as rows:
        await store(rows, row())
        assert await read_one(rows, row()) == row()

    told = [record for record in caplog.records if record.name.startswith("webex_oauth")]
    assert [record.levelno for record in told] == [logging.WARNING]
    assert "may lose tokens" in caplog.text
    adjustable_redis.ask("CONFIG", "SET", "appendonly", "yes")


async def test_a_sound_server_is_opened_without_a_warning(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(redis_server.url(prefix=fresh_prefix())) as rows:
        await rows.check()

    assert caplog.records == []


@pytest.mark.parametrize("forbidden", ["-config", "-config -info", "-@dangerous"])
async def test_a_server_whose_settings_cannot_be_read_is_opened_with_a_warning(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, forbidden: str
) -> None:
    rights = ["on", f">{PASSWORD}", "~*", "+@all", *forbidden.split()]
    redis_server.ask("ACL", "SETUSER", "careful", "reset", *rights)

    async with opened(redis_server.url(user="careful", prefix=fresh_prefix())) as rows:
        await store(rows, row())

    assert "cannot read Redis persistence settings" in caplog.text


async def test_a_user_needs_the_keys_of_the_prefix_and_no_others(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    rights = ["on", f">{PASSWORD}", f"~{{{prefix}}}:*", "+@all"]
    redis_server.ask("ACL", "SETUSER", "narrow", "reset", *rights)

    async with opened(redis_server.url(user="narrow", prefix=prefix)) as rows:
        await store(rows, row())
        assert list(await rows.by_name(Kind.GRANT, b"", 9)) == [row()]
        assert await rows.apply([deleted(row())], durably=True)

    told = await refusal(redis_server.url(user="narrow", prefix=fresh_prefix()))
    assert "NOPERM" in told


@pytest.mark.parametrize("credentials", [":wrong@", ""], ids=["wrong", "missing"])
async def test_a_password_that_is_not_right_is_told_apart_from_an_outage(
    redis_server: RedisServer, credentials: str
) -> None:
    told = await refusal(f"redis://{credentials}127.0.0.1:{redis_server.port}/0")

    assert "check the user and the password" in told
    assert "wrong" not in told.replace("WRONGPASS", "")


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
        await store(one, row())

        assert await read_one(two, row()) == absent(row())
        assert await read_one(three, row()) == absent(row())


@pytest.mark.check("H06")
@pytest.mark.parametrize("noted", ["rows-1", "rows-3"], ids=["older", "newer"])
async def test_a_prefix_of_another_layout_is_refused_and_left_alone(
    redis_server: RedisServer, noted: str
) -> None:
    prefix = fresh_prefix()
    redis_server.ask("SET", f"{{{prefix}}}:schema", noted)

    told = await refusal(redis_server.url(prefix=prefix))

    assert f"keeps rows under {{{prefix}}}: in another layout ({noted}): run the version" in told
    assert "choose another prefix" in told
    assert redis_server.ask("KEYS", f"{{{prefix}}}:*") == [f"{{{prefix}}}:schema".encode()]
    assert redis_server.ask("GET", f"{{{prefix}}}:schema") == noted.encode()


async def test_every_key_is_in_one_slot_of_a_cluster(redis_server: RedisServer) -> None:
    prefix = fresh_prefix()
    async with opened(redis_server.url(prefix=prefix)) as rows:
        await store(rows, row(group=b"{group}", at=NOW, over_at=NOW))
        await rows.check()

    keys = redis_server.ask("KEYS", f"*{prefix}*")

    assert len(keys) > 5
    assert {key.partition(b"}")[0] for key in keys} == {b"{" + prefix.encode()}


async def test_a_node_of_a_cluster_is_used() -> None:
    settings = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    with running_redis(**settings) as server:
        server.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        await until_true(lambda: b"cluster_state:ok" in server.ask("CLUSTER", "INFO"))

        async with opened(server.url()) as rows:
            stored = [row(1, kind, group=b"{g}", at=NOW, over_at=NOW) for kind in Kind]
            await store(rows, *stored)
            assert list(await rows.read(*stored)) == stored
            change = rewritten(stored[0], group=b"{h}")
            assert await rows.apply([change, deleted(stored[1])], durably=True)
            assert list(await rows.by_name(stored[0].kind, b"", 9)) == [change.row]
            assert list(await rows.due(stored[2].kind, NOW, 9)) == [stored[2]]
            assert list(await rows.over(stored[1].kind, NOW, 9)) == []
            assert list(await rows.of_group(stored[0].kind, b"{h}", 9)) == [change.row]


async def test_a_cluster_that_serves_no_slot_is_unavailable() -> None:
    settings = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    with (
        running_redis(**settings) as server,
        pytest.raises(StoreUnavailable, match="CLUSTERDOWN"),
    ):
        await RedisRows(server.url()).open()


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

    async with opened(tls_redis.tls_url(ca_file=str(ca_file))) as rows:
        await store(rows, row())
        assert await read_one(rows, row()) == row()


@pytest.mark.parametrize(
    ("host", "query"), [(HOST, {}), ("another.example", {"ca_file": "ca.pem"})]
)
async def test_a_server_with_an_unknown_or_anothers_certificate_is_not_used(
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    query: dict[str, str],
) -> None:
    monkeypatch.chdir(tmp_path)
    authority.cert_pem.write_to_path("ca.pem")

    with (
        running_tls_redis(authority.issue_cert(host)) as server,
        pytest.raises(StoreUnavailable, match="certificate verify failed"),
    ):
        await RedisRows(server.tls_url(**query)).open()


def test_the_password_is_not_shown(redis_server: RedisServer) -> None:
    rows = RedisRows(redis_server.url())
    shown = f"{rows!r} {rows._server.address!r} {rows._server._pool._make_connection()!r}"

    assert PASSWORD not in shown
    assert QUOTED not in shown
