"""What the Redis store still has after its server ended, and what its disk has confirmed."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from contracts.redis_stores import opened
from contracts.rows import NOW, admission, attempt, grant, name, revocation, session
from services.redis import RedisServer, running_redis, running_valkey
from waiting import until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.redis import RedisStore
from webex_oauth.stores.redis.database import DISK_POOL_FACTOR
from webex_oauth.vault.records import (
    AttemptRecord,
    GrantRecord,
    Lease,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
)

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)
LEASE = Lease(b"one who refreshes", NOW + 30)


@pytest.fixture
def cautious_server() -> Iterator[RedisServer]:
    """Run a server that writes to its disk before it answers."""
    with running_redis(appendfsync="always") as server:
        yield server


@pytest.fixture
def confirming_server() -> Iterator[RedisServer]:
    """Run a server that writes to its disk every second, and tells when it has."""
    with running_valkey(appendfsync="everysec") as server:
        yield server


async def everything(store: RedisStore) -> list[SealedRecord]:
    """List every row of every kind."""
    return [
        *await store.scan(AttemptRecord, after=b"", limit=99),
        *await store.scan(SessionRecord, after=b"", limit=99),
        *await store.scan(GrantRecord, after=b"", limit=99),
        *await store.scan(RevocationRecord, after=b"", limit=99),
    ]


def count_of_confirmations(server: RedisServer) -> int:
    """Say how often the server was asked whether something is on its disk."""
    asked = server.ask("INFO", "commandstats").get("cmdstat_waitaof", {"calls": 0})
    return int(asked["calls"])


async def test_a_server_that_is_killed_and_started_again_has_everything(
    cautious_server: RedisServer,
) -> None:
    async with opened(cautious_server.url()) as store:
        await store.add_attempt(attempt(7), at_most=9, now=NOW)
        await store.admit(admission(1, keep_at=NOW))
        claimed = await store.claim_grant(grant(), LEASE, NOW)
        await store.add_revocation(revocation(of=2, version=2**48))
        await store.add_key_check("first", b"sealed")

        cautious_server.kill()
        await asyncio.to_thread(cautious_server.start)

        assert await everything(store) == [
            attempt(7),
            session(1),
            claimed,
            revocation(of=2, version=2**48),
        ]
        assert await store.key_checks() == {"first": b"sealed"}
        assert await store.due_grants(now=LEASE.until, limit=9) == [claimed]


async def test_a_sign_in_of_which_the_disk_has_half_did_not_happen(
    cautious_server: RedisServer,
) -> None:
    async with opened(cautious_server.url()) as store:
        await store.admit(admission(1, of=1))
        await store.admit(admission(2, of=2))

        cautious_server.kill()
        (file,) = cautious_server.folder.glob("appendonlydir/*.incr.aof")
        os.truncate(file, file.stat().st_size - 20)
        await asyncio.to_thread(cautious_server.start)

        assert await everything(store) == [session(1, of=1), grant(1)]


async def test_scripts_that_the_server_forgets_are_given_to_it_again(
    own_redis: RedisServer,
) -> None:
    async with opened(own_redis.url()) as store:
        for number in range(1, 51):
            own_redis.ask("SCRIPT", "FLUSH")
            await asyncio.gather(
                store.admit(admission(number, of=number)),
                store.add_revocation(revocation(of=number + 100)),
            )

        assert len(await store.scan(GrantRecord, after=b"", limit=99)) == 50
        assert len(await store.scan(RevocationRecord, after=b"", limit=99)) == 50


async def live_through(store: RedisStore, person: int) -> None:
    """Sign a person in, refresh their tokens, and disconnect them: five durable steps."""
    key = name("grant", person)
    await store.admit(admission(person, of=person))
    await store.claim_grant(grant(person), LEASE, NOW)
    await store.replace_grant(grant(person, version=2), 1)
    await store.end_grant(key, now=NOW)
    await store.add_revocation(revocation(of=person + 100))


async def test_what_must_not_be_lost_is_confirmed_by_the_disk(
    confirming_server: RedisServer,
) -> None:
    async with opened(confirming_server.url()) as store:
        await live_through(store, 1)  # from now on the server knows the scripts
        earlier_count = count_of_confirmations(confirming_server)

        await live_through(store, 2)

    assert count_of_confirmations(confirming_server) == earlier_count + 5


async def test_what_the_disk_confirmed_survives_a_kill(confirming_server: RedisServer) -> None:
    async with opened(confirming_server.url()) as store:
        for person in range(1, 6):
            await store.admit(admission(person, of=person))
        confirming_server.kill()
        await asyncio.to_thread(confirming_server.start)

        found = await store.scan(GrantRecord, after=b"", limit=99)

    assert found == [grant(person) for person in range(1, 6)]


async def test_what_is_soon_over_is_not_confirmed(confirming_server: RedisServer) -> None:
    async with opened(confirming_server.url()) as store:
        await store.add_attempt(attempt(), at_most=9, now=NOW)
        await store.take_attempt(name("state", 1), name("browser", 1), NOW)
        await store.touch_session(name("session", 1), NOW)

    assert count_of_confirmations(confirming_server) == 0


async def test_a_server_that_writes_before_it_answers_need_not_confirm(
    valkey_server: RedisServer,
) -> None:
    async with opened(valkey_server.url(prefix="unasked")) as store:
        await store.admit(admission())

    assert count_of_confirmations(valkey_server) == 0


async def test_an_operator_who_accepts_losses_does_not_wait_for_the_disk(
    confirming_server: RedisServer,
) -> None:
    confirming_server.ask("CONFIG", "SET", "appendfsync", "no")

    async with opened(confirming_server.url(durability="unchecked")) as store:
        await store.admit(admission())

    assert count_of_confirmations(confirming_server) == 0


async def test_a_write_that_the_disk_does_not_confirm_is_an_outage(
    confirming_server: RedisServer,
) -> None:
    async with opened(confirming_server.url()) as store:
        await store.admit(admission())
        confirming_server.ask("CONFIG", "SET", "appendfsync", "no")

        with pytest.raises(StoreUnavailable, match="did not confirm"):
            await store.claim_grant(grant(), LEASE, NOW)


async def test_who_reads_does_not_wait_for_those_who_wait_for_the_disk(
    confirming_server: RedisServer,
) -> None:
    async with opened(confirming_server.url(pool_size="1")) as store:
        confirming_server.ask("CONFIG", "SET", "appendfsync", "no")
        waiting = [
            asyncio.create_task(store.admit(admission(person, of=person)))
            for person in range(1, 1 + DISK_POOL_FACTOR)
        ]

        await until_true(lambda: store.find_grant(name("grant", DISK_POOL_FACTOR)))
        assert not any(task.done() for task in waiting)

        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
