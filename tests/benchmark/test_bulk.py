"""Bulk filling: whoever was filled in is there as if they had signed in."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from contracts.places import PLACES
from services.redis import redis_server

from bench.bulk import fill
from bench.sealed_people import REFRESH_SECONDS, SealedPerson, sealed_people
from webex_oauth.integration.store_urls import store_at
from webex_oauth.vault.records import GrantRecord, SessionRecord
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.store import Store

__all__ = ["redis_server"]

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "vault.sqlite"


@pytest.fixture
def people() -> Sequence[SealedPerson]:
    sealer = Sealer(KeyRing(Key("k-1", secrets.token_bytes(32))), secrets.token_bytes)
    return list(sealed_people(sealer, "https://idbroker.example", range(3), NOW))


@pytest.fixture(params=["sqlite", "postgres", "redis"])
async def store(
    request: pytest.FixtureRequest, people: Sequence[SealedPerson]
) -> AsyncIterator[Store]:
    """Give a store that was filled after it had been made."""
    async with PLACES[request.param](request) as url:
        store = store_at(url)
        await store.open()
        await asyncio.to_thread(fill, url, people)
        yield store
        await store.close()


async def test_everybody_is_found(store: Store, people: Sequence[SealedPerson]) -> None:
    for person in people:
        assert await store.find_grant(person.grant.key) == person.grant
        assert await store.find_session(person.session.digest) == person.session


async def test_everybody_is_listed_and_due(store: Store, people: Sequence[SealedPerson]) -> None:
    grants = await store.scan(GrantRecord, after=b"", limit=9)
    sessions = await store.scan(SessionRecord, after=b"", limit=9)
    due = await store.due_grants(now=NOW + REFRESH_SECONDS, limit=9)

    assert set(grants) == set(due) == {person.grant for person in people}
    assert set(sessions) == {person.session for person in people}


async def test_whoever_was_filled_in_can_leave(
    store: Store, people: Sequence[SealedPerson]
) -> None:
    person = people[0]

    ended = await store.end_session(
        person.session.digest, now=NOW, idle_seconds=3_600, keeps_grants=False
    )

    assert ended is not None
    assert ended.revocation is not None
    assert ended.revocation.sealed == person.grant.sealed
    assert await store.find_grant(person.grant.key) is None
