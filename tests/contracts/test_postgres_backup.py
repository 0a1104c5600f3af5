"""A PostgreSQL schema that is backed up while people use it, and restored elsewhere."""

import asyncio
import os
import subprocess
from collections.abc import Iterator

import pytest
from contracts.places import opened
from contracts.postgres_rows import schema
from contracts.samples import name, read_one, row, store
from contracts.traffic import traffic
from services.postgres import PASSWORD, USER, PostgresServer, binary, running_postgres

from webex_oauth.errors import KeyUnavailable, SealBroken
from webex_oauth.vault.sealing import Context, Key, KeyRing, Sealer

__all__ = ["schema"]

pytestmark = [pytest.mark.anyio, pytest.mark.check("F09")]

PLACE = Context(kind="grant", name=name(1))
RIGHT = Sealer(KeyRing(Key("right", bytes(32))), os.urandom)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[PostgresServer]:
    """Run another server, as on another machine."""
    with running_postgres() as server:
        yield server


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


async def test_a_backup_opens_with_the_right_key_alone(
    postgres: PostgresServer, elsewhere: PostgresServer, schema: str
) -> None:
    stored = row(body=RIGHT.seal(b"tokens", PLACE))
    async with opened(postgres.url(schema=schema)) as rows:
        await store(rows, stored)

    restore(elsewhere, dump(postgres, schema))

    async with opened(elsewhere.url(schema=schema)) as restored:
        found = await read_one(restored, stored)
    assert found == stored
    assert RIGHT.open(found.body, PLACE) == b"tokens"
    for key, refusal in (
        (Key("right", bytes(31) + b"1"), SealBroken),
        (Key("left", bytes(32)), KeyUnavailable),
    ):
        with pytest.raises(refusal):
            Sealer(KeyRing(key), os.urandom).open(found.body, PLACE)


async def test_a_backup_taken_under_load_holds_whole_sign_ins(
    postgres: PostgresServer, elsewhere: PostgresServer, schema: str
) -> None:
    async with opened(postgres.url(schema=schema)) as rows, traffic(rows) as people:
        await people.flows()
        admitted, ended = set(people.admitted), set(people.ended)
        text = await asyncio.to_thread(dump, postgres, schema)
        await people.flows()

    restore(elsewhere, text)

    async with opened(elsewhere.url(schema=schema)) as restored:
        await people.check_rows(restored, admitted, ended)
        await restored.check()
