"""What a PostgreSQL store does when the network between it and the server fails."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest
from contracts.postgres_store import WAYS
from contracts.rows import NOW, admission, grant, name, session
from contracts.traffic import PROMISED_SECONDS, traffic, whole_sign_in
from services.fault_proxy import FaultProxy, fault_proxy
from services.pgbouncer import PgBouncer
from services.postgres import PostgresServer, schema_of
from waiting import SLACK_SECONDS

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.postgres import PostgresStore
from webex_oauth.vault.store import Store

pytestmark = [pytest.mark.anyio, pytest.mark.torture]

LATENCY_SECONDS = 0.03
PEOPLE = 20


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run on the loop that serves."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(params=WAYS)
async def proxy(
    request: pytest.FixtureRequest, postgres: PostgresServer
) -> AsyncIterator[FaultProxy]:
    """Stand before the server, or before the PgBouncer before it."""
    port = postgres.port
    if request.param == "bounced":
        bouncer: PgBouncer = request.getfixturevalue("pgbouncer")
        port = bouncer.port
    async with fault_proxy(port) as proxy:
        yield proxy


@pytest.fixture
async def store(postgres: PostgresServer, proxy: FaultProxy) -> AsyncIterator[Store]:
    with schema_of(postgres) as schema:
        store = PostgresStore(postgres.url(port=proxy.port, schema=schema, pool_size="4"))
        await store.open()
        await store.admit(admission())
        yield store
        await proxy.heals()
        await store.close()


async def break_off(proxy: FaultProxy, fault: str) -> None:
    """Begin a fault by its name."""
    match fault:
        case "refuses":
            await proxy.refuses()
        case "hangs":
            await proxy.hangs()
        case "drops answers":
            await proxy.drops_answers()
        case "cuts":
            await proxy.cuts(answer_bytes=3)
        case "is slow":
            await proxy.slows(PROMISED_SECONDS + 1)


FAULTS = ["refuses", "hangs", "drops answers", "cuts", "is slow"]


@pytest.mark.check("H05")
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_network_that_fails_is_unavailable_in_time_and_recovers(
    store: Store, proxy: FaultProxy, fault: str
) -> None:
    await break_off(proxy, fault)
    asked_at = time.monotonic()
    outcomes = await asyncio.gather(
        store.check(), store.find_session(name("session", 1)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    assert time.monotonic() - asked_at < PROMISED_SECONDS + SLACK_SECONDS
    await proxy.heals()

    assert await store.find_session(name("session", 1)) == session()
    await store.check()


@pytest.mark.check("H05")
async def test_faults_under_load_lose_nothing(store: Store, proxy: FaultProxy) -> None:
    async with traffic(store, people=PEOPLE) as people:
        for fault in ("cuts", "refuses", "hangs", "drops answers"):
            await people.flows(PEOPLE)
            await break_off(proxy, fault)
            await asyncio.sleep(0.3)
            await proxy.heals()
        await people.flows(PEOPLE)

    assert people.outcomes["StoreUnavailable"] > 0


async def test_a_reset_between_two_questions_is_not_noticed(
    store: Store, proxy: FaultProxy
) -> None:
    await store.check()

    proxy.resets()

    assert await store.find_session(name("session", 1)) == session()


async def test_a_connection_whose_answer_was_lost_is_not_used_again(
    store: Store, proxy: FaultProxy
) -> None:
    await proxy.drops_answers()
    with pytest.raises(StoreUnavailable):
        await store.find_grant(name("grant", 1))
    await proxy.heals()

    assert await store.find_session(name("session", 1)) == session()


@pytest.mark.check("H04")
async def test_cancelled_callers_never_give_their_answers_to_others(
    store: Store, proxy: FaultProxy
) -> None:
    for number in range(2, PEOPLE):
        await store.admit(admission(number, of=number))
    await proxy.slows(LATENCY_SECONDS)
    dice = random.Random(4)  # noqa: S311 - which callers leave is no secret

    outcomes = await asyncio.gather(
        *(ask_and_perhaps_leave(store, dice.randrange(1, PEOPLE), dice) for _ in range(200))
    )

    assert set(outcomes) == {"own answer", "left"}
    assert min(outcomes.count("own answer"), outcomes.count("left")) > 25


async def ask_and_perhaps_leave(store: Store, number: int, dice: random.Random) -> str:
    """Ask for one person's rows; leave in the middle or judge whose they are."""
    await asyncio.sleep(dice.uniform(0, 1.5))
    patience = dice.choice([None, dice.uniform(0, 2.5 * LATENCY_SECONDS)])
    try:
        async with asyncio.timeout(patience):
            seen = await store.find_session(name("session", number))
            kept = await store.find_grant(name("grant", number))
            await store.touch_session(name("session", number), NOW)
    except TimeoutError:
        return "left"
    is_own = seen == session(number, of=number) and kept == grant(number)
    return "own answer" if is_own else "another's answer"


@pytest.mark.check("H04")
async def test_cancelled_callers_leave_no_half_of_a_sign_in(
    store: Store, proxy: FaultProxy
) -> None:
    await proxy.slows(LATENCY_SECONDS)
    dice = random.Random(5)  # noqa: S311 - which callers leave is no secret

    async def sign_in_and_perhaps_leave(number: int) -> None:
        again = admission(number, of=number, replaced=number - 1)
        try:
            async with asyncio.timeout(dice.uniform(0, 8 * LATENCY_SECONDS)):
                await store.admit(again)
        except TimeoutError:
            pass

    await asyncio.gather(*(sign_in_and_perhaps_leave(number) for number in range(10, 40)))

    await proxy.heals()
    for number in range(10, 40):
        await whole_sign_in(store, number)
