"""What processes that died leave in the spool, and what becomes of it."""

import fcntl
import os
from pathlib import Path

import pytest
from crashes.aftermath import spooled
from msgspec.structs import replace
from peers.registration import settings_of
from peers.signing_in import signed_in
from storm.clock_file import ClockFile
from storm.fixtures import NOW
from storm.local_webex import LocalWebex

from webex_oauth.integration import OpenIntegration, open_integration
from webex_oauth.secret import Secret
from webex_oauth.vault.plan import Timing
from webex_oauth.vault.records import Grant, Lease, new_version
from webex_oauth.vault.rescue import Spool, Spooled

pytestmark = [pytest.mark.anyio, pytest.mark.check("B10", "H07")]

OVER = NOW + 15 * 86_400
EARLIER_FILES = 8
"""So many that the order of the files is not the order of their names by luck."""


@pytest.mark.parametrize("webex", ["reuse-detect"], indirect=True)
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_tokens_in_the_spool_are_found_behind_older_ones_of_the_same_grant(
    webex: LocalWebex, place: str, clock: ClockFile, tmp_path: Path
) -> None:
    settings = settings_of(webex.registration, place, tmp_path)
    async with open_integration(settings, clock=clock) as integration:
        key = await signed_in(integration, webex.allow)
        clock.set(OVER)
        spool = Spool(settings.spool_folder, os.urandom)
        fresh = await died_before_storing(integration, key, webex, spool)
    webex.emulator.journal.clear()
    clock.set(OVER + Timing().lease_seconds + 1)

    async with open_integration(settings, clock=clock) as integration:
        given = await integration.vault.access_token(key)

    assert given == fresh
    assert webex.presentations() == []


async def died_before_storing(
    integration: OpenIntegration, key: bytes, webex: LocalWebex, spool: Spool
) -> Secret:
    """Leave a lease, tokens of earlier versions in the spool, and those that follow the row."""
    ledger = integration.context.ledger
    found = await ledger.find_grant(key)
    assert found is not None
    grant, lease = found.record, Lease(b"one who died", OVER + Timing().lease_seconds)
    await ledger.replace_grant(found, replace(grant, lease=lease), durably=True)
    fresh = new_version(refreshed(grant, webex), grant, os.urandom)
    earlier = [replace(grant, version=grant.version - 1 - n) for n in range(EARLIER_FILES)]
    for each in (*earlier, fresh):
        spool.add(Spooled(key, ledger.seal_grant(each)))
    return fresh.tokens.access_token


def refreshed(grant: Grant, webex: LocalWebex) -> Grant:
    """Refresh at Webex, as the one who died has done."""
    old = grant.tokens.refresh_token
    assert old is not None
    issued = webex.emulator.tokens.refresh(webex.registration.client_id, old.reveal())
    assert issued.refresh_token is not None
    tokens = replace(
        grant.tokens,
        access_token=Secret(issued.access_token.value),
        refresh_token=Secret(issued.refresh_token.value),
        access_expires_at=OVER + 14 * 86_400,
    )
    return replace(grant, tokens=tokens, issued_at=OVER)


def test_drafts_of_those_who_died_while_writing_are_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", os.urandom)
    spool.open()
    name = spool.add(Spooled(b"key", b"sealed"))
    forsaken, current = (tmp_path / "spool" / f".{name}.{draft}" for draft in ("a", "b"))
    forsaken.write_bytes(b"half a row")
    current.write_bytes(b"half a row")

    with current.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        spool.open()
        assert current.exists()
    assert not forsaken.exists()
    assert spooled(tmp_path / "spool") == [name]
