"""Two machines with networks of their own, one database, one authorization server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from peers.oidc_provider import running_oidc_provider
from peers.registration import settings_of
from peers.signing_in import signed_in
from services.postgres import running_postgres
from services.redis import running_redis
from storm.callers import Answers, Job, ask, caller_process, token_is_over
from storm.namespaces import US, Machine, two_machines
from storm.programs.ask_together import name

from webex_oauth.integration import open_integration

pytestmark = [pytest.mark.anyio, pytest.mark.check("B09")]

LOOPBACK = "127.0.0.1"
ANYBODY_WITH_A_PASSWORD = f"\nhost all all {US}/24 scram-sha-256\n"


@pytest.fixture
def machines() -> Iterator[tuple[Machine, Machine]]:
    with two_machines() as machines:
        yield machines


@contextmanager
def postgres() -> Iterator[str]:
    with running_postgres(listen_addresses=f"{LOOPBACK},{US}") as server:
        with (server.folder / "data" / "pg_hba.conf").open("a") as admitted:
            admitted.write(ANYBODY_WITH_A_PASSWORD)
        with server.connect() as operator:
            operator.execute("SELECT pg_reload_conf()")
        yield server.url().replace(LOOPBACK, US)


@contextmanager
def redis() -> Iterator[str]:
    with running_redis(bind=f"{LOOPBACK} {US}") as server:
        yield server.url().replace(LOOPBACK, US)


@pytest.mark.parametrize("database", [postgres, redis])
async def test_two_machines_refresh_once(
    machines: tuple[Machine, Machine],
    database: Callable[[], AbstractContextManager[str]],
    tmp_path: Path,
) -> None:
    with database() as place, running_oidc_provider(US, first_token_lives=1) as provider:
        settings = settings_of(provider.registration, place, tmp_path)
        async with open_integration(settings) as integration, AsyncExitStack() as exits:
            key = await signed_in(integration, provider.allow)
            job = Job(provider.registration, place, str(tmp_path), key, caller_count=200)
            processes = [
                await exits.enter_async_context(caller_process(job, under=machine.command))
                for machine in machines
            ]
            await token_is_over(integration, key)
            answers = await ask(processes)
            kept = await integration.vault.access_token(key)

        assert answers == Answers({name(kept): 400})
        assert (provider.refresh_count(), provider.replay_count()) == (1, 0)
        assert provider.takes(kept.reveal())
