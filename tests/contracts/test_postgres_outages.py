"""What PostgreSQL's rows do when the server comes and goes."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from contracts.places import WAYS, opened
from contracts.traffic import traffic
from services.pgbouncer import running_pgbouncer
from services.postgres import PostgresServer, running_postgres, schema_of

from webex_oauth.errors import ConfigurationError, StoreUnavailable
from webex_oauth.stores.postgres.rows import PostgresRows
from webex_oauth.stores.postgres.url import POOL_SIZE
from webex_oauth.vault.rows import Rows

pytestmark = [pytest.mark.anyio, pytest.mark.torture, pytest.mark.check("H05")]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Run a server for these tests alone: they stop it."""
    with running_postgres() as one:
        yield one


@pytest.fixture(scope="module")
def bouncer_port(server: PostgresServer) -> Iterator[int]:
    with running_pgbouncer(server) as one:
        yield one.port


@pytest.fixture(params=WAYS)
async def rows(request: pytest.FixtureRequest, server: PostgresServer) -> AsyncIterator[Rows]:
    port = request.getfixturevalue("bouncer_port") if request.param == "pgbouncer" else None
    with schema_of(server) as schema:
        async with opened(server.url(port=port, schema=schema)) as rows:
            yield rows


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_a_restart_under_load_loses_nothing(
    rows: Rows, server: PostgresServer, how: signal.Signals
) -> None:
    async with traffic(rows) as people:
        await people.flows()
        await asyncio.to_thread(server.stop, how)
        with pytest.raises(StoreUnavailable):
            await rows.check()
        await asyncio.to_thread(server.start)
        await people.flows()

    assert people.outcomes["StoreUnavailable"] > 0


async def test_connections_cut_off_under_load_lose_nothing(
    rows: Rows, server: PostgresServer
) -> None:
    async with traffic(rows) as people:
        await people.flows()
        cut_off = [await asyncio.to_thread(server.cut_off_all) for _ in range(2)]
        await people.flows()

    assert sum(cut_off) > 0


async def test_connections_that_were_cut_off_while_idle_are_not_used(
    server: PostgresServer,
) -> None:
    with schema_of(server) as schema:
        async with opened(server.url(schema=schema)) as rows:
            await asyncio.gather(*(rows.check() for _ in range(20)))

            assert await asyncio.to_thread(server.cut_off_all) >= POOL_SIZE

            await asyncio.gather(*(rows.check() for _ in range(20)))


async def test_a_server_that_is_down_at_the_start_is_unavailable(server: PostgresServer) -> None:
    server.stop()

    with pytest.raises(StoreUnavailable, match="refused"):
        await PostgresRows(server.url()).open()

    server.start()


async def test_a_wrong_password_is_refused_and_not_shown(server: PostgresServer) -> None:
    url = server.url().replace("a%20pass", "inv%20ented")

    with pytest.raises(ConfigurationError, match="refuses the user, password") as refused:
        await PostgresRows(url).open()

    assert "inv" not in str(refused.value)


async def test_a_database_that_does_not_exist_is_named(server: PostgresServer) -> None:
    url = server.url().replace("/postgres?", "/nowhere?")

    with pytest.raises(ConfigurationError, match="nowhere"):
        await PostgresRows(url).open()
