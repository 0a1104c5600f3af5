"""People made for the bench: in every database they are there as if they had signed in."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contracts.places import PLACES
from ledgers import grants, sessions
from services.redis import redis_server

from bench.sealed_people import (
    AT_ONCE,
    REFRESH_SECONDS,
    Seals,
    fill,
    session_id,
    subject,
    token,
)
from bench.upstream import token_endpoint_answer
from webex_oauth.integration.store_urls import rows_at
from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import digest, grant_key
from webex_oauth.vault.sealing import Key, KeyRing, Sealer

__all__ = ["redis_server"]

pytestmark = pytest.mark.anyio

ISSUER = "https://idbroker.example"
NOW = 1_800_000_000
IDLE_SECONDS = 7 * 86_400
SEALER = Sealer(KeyRing(Key("k-1", secrets.token_bytes(32))), secrets.token_bytes)
SEALS = Seals(SEALER, IDLE_SECONDS, ISSUER)
KEYS = [grant_key(ISSUER, subject(serial)) for serial in range(3)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "vault.sqlite"


@pytest.fixture(params=["sqlite", "postgres", "redis"])
async def ledger(request: pytest.FixtureRequest) -> AsyncIterator[Ledger]:
    """Return a ledger with three people."""
    async with PLACES[request.param](request) as url:
        rows = rows_at(url)
        await rows.open()
        await fill(rows, SEALS, range(3), NOW)
        yield Ledger(rows, SEALER, IDLE_SECONDS)
        await rows.close()


async def test_each_person_is_found_listed_and_due(ledger: Ledger) -> None:
    found = [await ledger.find_session(digest(session_id(serial))) for serial in range(3)]

    assert [entry.record.grant_key for entry in found if entry] == KEYS
    assert {grant.key: grant.tokens.access_token for grant in await grants(ledger)} == {
        key: token(serial) for serial, key in enumerate(KEYS)
    }
    assert len(await sessions(ledger)) == len(KEYS)
    assert set(await ledger.due_grants(NOW + REFRESH_SECONDS, 9)) == set(KEYS)


async def test_a_person_can_sign_out(ledger: Ledger) -> None:
    ended = await ledger.end_session(digest(session_id(0)), NOW, keeps_grants=False)

    assert ended is not None
    assert ended.revocation is not None
    assert ended.revocation.tokens.refresh_token == token(0)
    assert await ledger.find_grant(KEYS[0]) is None


@pytest.mark.parametrize("later_seconds", [0, 3_600])
async def test_reading_a_session_writes_nothing(later_seconds: int) -> None:
    rows = MemoryRows()
    await fill(rows, SEALS, range(1), NOW)
    (session,) = await sessions(Ledger(rows, SEALER, IDLE_SECONDS))

    assert session.is_live(NOW + later_seconds, IDLE_SECONDS)
    assert not session.is_touch_due(NOW + later_seconds, IDLE_SECONDS)


async def test_more_people_than_one_batch_are_all_filled_in() -> None:
    rows = MemoryRows()
    await fill(rows, SEALS, range(7, 8 + AT_ONCE), NOW)

    filled = await grants(Ledger(rows, SEALER, IDLE_SECONDS))

    assert {one.subject for one in filled} == {subject(one) for one in range(7, 8 + AT_ONCE)}


def test_the_stub_takes_a_persons_token_for_a_refresh() -> None:
    body = f"grant_type=refresh_token&refresh_token={token(3).reveal()}&client_secret=x"

    answer = token_endpoint_answer(body.encode())

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert token(3).reveal().encode() in answer
