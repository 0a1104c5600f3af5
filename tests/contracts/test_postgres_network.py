"""What PostgreSQL's rows do when the network to the server fails."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest
from contracts.postgres_rows import WAYS, opened
from contracts.samples import NOW, absent, add, deleted, read_one, rewritten, row, store
from contracts.traffic import PROMISED_SECONDS, is_signed_in, signed_in, traffic
from services.fault_proxy import FaultProxy, fault_proxy
from services.pgbouncer import PgBouncer
from services.postgres import PostgresServer, schema_of
from waiting import SLACK_SECONDS

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.postgres import PostgresRows
from webex_oauth.vault.rows import Change, Kind, Rows

pytestmark = [pytest.mark.anyio, pytest.mark.torture]

LATENCY_SECONDS = 0.03
ROUND_TRIP_SECONDS = 0.3
PEOPLE = 20


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run on the loop that serves."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(params=WAYS)
async def proxy(
    request: pytest.FixtureRequest, postgres: PostgresServer
) -> AsyncIterator[FaultProxy]:
    """Run a proxy in front of the server, or of the PgBouncer in front of it."""
    port = postgres.port
    if request.param == "bounced":
        bouncer: PgBouncer = request.getfixturevalue("pgbouncer")
        port = bouncer.port
    async with fault_proxy(port) as proxy:
        yield proxy


@pytest.fixture
async def rows(postgres: PostgresServer, proxy: FaultProxy) -> AsyncIterator[PostgresRows]:
    with schema_of(postgres) as schema:
        url = postgres.url(port=proxy.port, schema=schema, pool_size="4")
        async with opened(url) as rows:
            await store(rows, row())
            yield rows
            await proxy.heals()


async def break_off(proxy: FaultProxy, fault: str) -> None:
    """Start a fault by its name."""
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
    rows: Rows, proxy: FaultProxy, fault: str
) -> None:
    await break_off(proxy, fault)
    asked_at = time.monotonic()
    outcomes = await asyncio.gather(rows.check(), rows.read(row()), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    assert time.monotonic() - asked_at < PROMISED_SECONDS + SLACK_SECONDS
    await proxy.heals()

    assert await read_one(rows, row()) == row()
    await rows.check()


@pytest.mark.check("H05")
async def test_faults_under_load_lose_nothing(rows: Rows, proxy: FaultProxy) -> None:
    async with traffic(rows, people=PEOPLE) as people:
        for fault in ("cuts", "refuses", "hangs", "drops answers"):
            await people.flows(PEOPLE)
            await break_off(proxy, fault)
            await asyncio.sleep(0.3)
            await proxy.heals()
        await people.flows(PEOPLE)

    assert people.outcomes["StoreUnavailable"] > 0


async def test_a_reset_between_two_calls_is_not_noticed(rows: Rows, proxy: FaultProxy) -> None:
    await rows.check()

    proxy.resets()

    assert await read_one(rows, row()) == row()


async def test_a_connection_whose_answer_was_lost_is_not_used_again(
    rows: Rows, proxy: FaultProxy
) -> None:
    await proxy.drops_answers()
    with pytest.raises(StoreUnavailable):
        await rows.read(row())
    await proxy.heals()

    assert await read_one(rows, row()) == row()


@pytest.mark.check("H04")
async def test_cancelled_callers_never_give_their_answers_to_others(
    rows: Rows, proxy: FaultProxy
) -> None:
    await store(rows, *(one for number in range(2, PEOPLE) for one in signed_in(number)))
    await proxy.slows(LATENCY_SECONDS)
    dice = random.Random(4)  # noqa: S311 - which callers are cancelled is no secret

    outcomes = await asyncio.gather(
        *(ask_and_perhaps_leave(rows, dice.randrange(2, PEOPLE), dice) for _ in range(200))
    )

    assert set(outcomes) == {"own answer", "left"}
    assert min(outcomes.count("own answer"), outcomes.count("left")) > 25


async def ask_and_perhaps_leave(rows: Rows, number: int, dice: random.Random) -> str:
    """Ask for one person's rows; leave in the middle, or judge whose they are."""
    await asyncio.sleep(dice.uniform(0, 1.5))
    patience = dice.choice([None, dice.uniform(0, 2.5 * LATENCY_SECONDS)])
    grant, session = signed_in(number)
    try:
        async with asyncio.timeout(patience):
            found = await rows.read(grant, session)
            listed = await rows.of_group(Kind.SESSION, session.group, 9)
            is_applied = await rows.apply([Change(grant, 1), Change(session, 1)], durably=False)
    except TimeoutError:
        return "left"
    is_own = list(found) == [grant, session] and list(listed) == [session] and is_applied
    return "own answer" if is_own else "another's answer"


@pytest.mark.check("H04")
async def test_cancelled_callers_leave_no_half_of_a_sign_in(rows: Rows, proxy: FaultProxy) -> None:
    await proxy.slows(LATENCY_SECONDS)
    dice = random.Random(5)  # noqa: S311 - which callers are cancelled is no secret

    async def sign_in_and_perhaps_leave(number: int) -> None:
        try:
            async with asyncio.timeout(dice.uniform(0, 8 * LATENCY_SECONDS)):
                await rows.apply(add(*signed_in(number)), durably=True)
        except TimeoutError:
            pass

    await asyncio.gather(*(sign_in_and_perhaps_leave(number) for number in range(10, 40)))

    await proxy.heals()
    for number in range(10, 40):
        await is_signed_in(rows, number)


async def test_every_call_is_one_round_trip(rows: Rows, proxy: FaultProxy) -> None:
    await rows.check()
    await proxy.slows(ROUND_TRIP_SECONDS)
    first, second = row(2), row(3)
    for call in (
        rows.check,
        rows.time,
        lambda: rows.read(first, second, row()),
        lambda: rows.apply(add(first), durably=True),
        lambda: rows.apply([rewritten(first), *add(second), Change(row(), 1)], durably=False),
        lambda: rows.apply([deleted(second), Change(absent(row(4)), 0)], durably=True),
        lambda: rows.by_name(Kind.GRANT, b"", 9),
        lambda: rows.due(Kind.GRANT, NOW, 9),
        lambda: rows.over(Kind.GRANT, NOW, 9),
        lambda: rows.of_group(Kind.GRANT, b"group", 9),
    ):
        started_at = time.monotonic()
        assert await call() is not False
        assert ROUND_TRIP_SECONDS <= time.monotonic() - started_at < 2 * ROUND_TRIP_SECONDS
