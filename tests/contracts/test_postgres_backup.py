"""A PostgreSQL store that is backed up while people use it, and restored elsewhere."""

import asyncio
import os
import subprocess
from collections.abc import Iterator

import pytest
from contracts.rows import admission, name
from contracts.traffic import traffic
from services.postgres import PASSWORD, USER, PostgresServer, binary, running_postgres, schema_of

from webex_oauth.errors import KeyUnavailable, SealBroken
from webex_oauth.stores.postgres import PostgresStore
from webex_oauth.vault.records import GrantRecord
from webex_oauth.vault.sealing import Context, Key, KeyRing, Sealer

pytestmark = [pytest.mark.anyio, pytest.mark.check("F09")]

PLACE = Context(kind="grant", row=(name("grant", 1),), field="grant", version=1)
RIGHT = Sealer(KeyRing(Key("right", bytes(32))), os.urandom)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[PostgresServer]:
    """Run another server, on another machine as it were."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def schema(postgres: PostgresServer) -> Iterator[str]:
    with schema_of(postgres) as schema:
        yield schema


def command(program: str, server: PostgresServer, *options: str) -> list[str]:
    there = ["--host=127.0.0.1", f"--port={server.port}", f"--username={USER}"]
    return [str(binary(program)), *there, "--dbname=postgres", *options]


def dump(server: PostgresServer, schema: str) -> bytes:
    done = subprocess.run(
        command("pg_dump", server, f"--schema={schema}"),
        check=True,
        capture_output=True,
        env={"PGPASSWORD": PASSWORD},
        timeout=30,
    )
    return done.stdout


def restore(server: PostgresServer, text: bytes) -> None:
    subprocess.run(
        command("psql", server, "--quiet", "--set=ON_ERROR_STOP=1"),
        check=True,
        input=text,
        stdout=subprocess.DEVNULL,
        env={"PGPASSWORD": PASSWORD},
        timeout=30,
    )


def sealed_admission_grant() -> GrantRecord:
    return GrantRecord(name("grant", 1), 1, RIGHT.seal(b"tokens", PLACE), None, None)


async def test_a_backup_opens_with_the_right_key_alone(
    postgres: PostgresServer, elsewhere: PostgresServer, schema: str
) -> None:
    store = PostgresStore(postgres.url(schema=schema))
    await store.open()
    await store.admit(admission(1, version=7))
    await store.replace_grant(sealed_admission_grant(), 7)
    await store.close()

    restore(elsewhere, dump(postgres, schema))

    restored = PostgresStore(elsewhere.url(schema=schema))
    await restored.open()
    found = await restored.find_grant(name("grant", 1))
    await restored.close()
    assert found is not None
    assert RIGHT.open(found.sealed, PLACE) == b"tokens"
    for key, refusal in (
        (Key("right", bytes(31) + b"1"), SealBroken),
        (Key("left", bytes(32)), KeyUnavailable),
    ):
        with pytest.raises(refusal):
            Sealer(KeyRing(key), os.urandom).open(found.sealed, PLACE)


async def test_a_backup_taken_under_load_holds_whole_sign_ins(
    postgres: PostgresServer, elsewhere: PostgresServer, schema: str
) -> None:
    store = PostgresStore(postgres.url(schema=schema))
    await store.open()
    async with traffic(store) as people:
        await people.flows()
        admitted, ended = set(people.admitted), set(people.ended)
        text = await asyncio.to_thread(dump, postgres, schema)
        await people.flows()
        last = max(people.admitted)
    await store.close()

    restore(elsewhere, text)

    restored = PostgresStore(elsewhere.url(schema=schema))
    await restored.open()
    for number in range(1, last):
        session = await restored.find_session(name("session", number))
        grant = await restored.find_grant(name("grant", number))
        assert (session is None) == (grant is None)
        assert session is not None or number not in admitted or number % 2
        assert session is None or number not in ended
    await restored.close()
