"""Disconnecting: here at once and whatever Webex does, at Webex as soon as it can be asked."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from journeys.acts import (
    grant_keys,
    has_grant,
    held,
    is_signed_in,
    run_inside,
    said,
    shown_title,
    token_requests,
)
from journeys.gate import Gate
from ledgers import grants, revocations
from scene import JONAS, MIRA, Browser, Scene
from waiting import until

from webex_oauth.emulator import Answer
from webex_oauth.emulator.journal import digest
from webex_oauth.flows.revocation import HEAD_START_SECONDS
from webex_oauth.vault.rows import Kind

pytestmark = pytest.mark.check("B12")

REVOCATION_PATH = "*/revoke"
DOWN = Answer(status=503, headers={"Retry-After": "60"})
LONG_SESSIONS = {"WEBEX_IDLE_SECONDS": "7776000", "WEBEX_ABSOLUTE_SECONDS": "7776000"}
ALMOST_FOURTEEN_DAYS = 1_209_599 - 30


def disconnect(browser: Browser) -> str:
    page = browser.post("/disconnect", {"csrf_token": browser.csrf_token()})
    assert (page.status_code, shown_title(page)) == (200, "You are disconnected")
    assert page.headers["clear-site-data"] == '"cache", "storage"'
    assert not browser.http.cookies
    return said(page)


def queued(scene: Scene) -> int:
    return len(held(scene, revocations))


def wait_until_delivered(scene: Scene) -> None:
    until(lambda: not queued(scene), "a revocation is still queued")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Scene]:
    with Scene(tmp_path, variables=LONG_SESSIONS) as scene:
        yield scene


def test_the_question_says_what_would_happen_and_changes_nothing(scene: Scene) -> None:
    browser, _ = scene.signed_in(JONAS), scene.signed_in(JONAS)

    page = browser.get("/disconnect")

    assert shown_title(page) == "Disconnect from Webex?"
    assert "signed out in this browser and in" in said(page)
    assert is_signed_in(browser)


def test_every_browser_is_signed_out_and_webex_has_nothing_left(fresh: Scene) -> None:
    first, second, mira = fresh.signed_in(JONAS), fresh.signed_in(JONAS), fresh.signed_in(MIRA)
    cookies = first.http.cookies.copy()
    fresh.settle()
    fresh.emulator.journal.clear()

    assert "Webex has confirmed" in disconnect(first)

    first.http.cookies.update(cookies)
    assert [is_signed_in(one) for one in (first, second, mira)] == [False, False, True]
    hints = [
        entry.form_by_name["token_type_hint"]
        for entry in fresh.emulator.journal.matching("POST", REVOCATION_PATH)
    ]
    assert hints == ["refresh_token", "access_token"]
    assert not has_grant(fresh, JONAS)
    assert len(held(fresh, grants)) == 1
    assert queued(fresh) == 0


def test_what_webex_did_not_confirm_is_delivered_after_a_restart(tmp_path: Path) -> None:
    with Scene(tmp_path) as scene:
        browser = scene.signed_in(JONAS)
        (key,) = grant_keys(scene)
        tokens = run_inside(scene, scene.integration.vault.grant(key)).tokens
        scene.emulator.faults.add("POST", REVOCATION_PATH, DOWN, times=None)
        assert "keeps asking until it does" in disconnect(browser)
        assert held(scene, grants) == []
        assert queued(scene) == 1

    with closing(sqlite3.connect(tmp_path / "data" / "vault.sqlite")) as database:
        database.execute("UPDATE rows SET at = 0 WHERE kind = 'revocation'")
        database.commit()
    with Scene(tmp_path) as again:
        revoked = again.emulator.journal.wait_for("POST", REVOCATION_PATH, count=2)
        wait_until_delivered(again)

    assert tokens.refresh_token
    expected = [digest(tokens.refresh_token.reveal()), digest(tokens.access_token.reveal())]
    assert [entry.form_by_name["token"] for entry in revoked] == expected
    assert [entry.status for entry in revoked] == [200, 200]


def test_webex_is_asked_again_when_it_said_and_not_before(fresh: Scene) -> None:
    browser = fresh.signed_in(JONAS)
    fresh.emulator.faults.add("POST", REVOCATION_PATH, DOWN, times=1)
    disconnect(browser)
    revocations = fresh.integration.revocations

    fresh.emulator.clock.advance(55)
    assert run_inside(fresh, revocations.deliver_due()) == 0
    assert has_grant(fresh, JONAS)
    fresh.emulator.clock.advance(5 + HEAD_START_SECONDS)
    run_inside(fresh, revocations.deliver_due())

    wait_until_delivered(fresh)
    assert not has_grant(fresh, JONAS)


def test_signing_in_again_revokes_what_was_before_and_nothing_else(fresh: Scene) -> None:
    first = fresh.signed_in(JONAS)
    old = fresh.emulator.journal.matching("POST", "/v1/access_token")
    fresh.signed_in(JONAS)
    fresh.settle()

    revoked = fresh.emulator.journal.matching("POST", REVOCATION_PATH)

    assert len(old) == 1
    assert [entry.status for entry in revoked] == [200, 200]
    assert first.get("/listrooms").status_code == 200
    assert token_requests(fresh) == 2


@pytest.mark.check("D05")
@pytest.mark.parametrize("path", ["/logout", "/disconnect"])
def test_leaving_during_a_refresh_leaves_no_live_token_at_webex(tmp_path: Path, path: str) -> None:
    gate = Gate()
    gate.open()
    with Scene(tmp_path, variables=LONG_SESSIONS, around_transport=gate.around) as scene:
        leaver, reader = scene.signed_in(JONAS), Browser(scene)
        reader.http.cookies.update(leaver.http.cookies)
        csrf_token = leaver.csrf_token()
        scene.emulator.change_options(refresh_mode="rotate")
        scene.emulator.clock.advance(ALMOST_FOURTEEN_DAYS + 60)
        gate.shut()
        reading = threading.Thread(target=reader.get, args=("/listrooms",))
        reading.start()
        gate.wait_for_arrival()
        leaving = threading.Thread(
            target=leaver.post, args=(path, {"csrf_token": csrf_token}), daemon=True
        )
        leaving.start()
        while held(scene, grants):
            leaving.join(0.02)

        gate.open()
        reading.join(30)
        leaving.join(30)
        scene.emulator.clock.advance(60)

        wait_until_delivered(scene)
        assert not has_grant(scene, JONAS)


@pytest.mark.check("F06")
def test_a_disconnect_leaves_no_sealed_byte_of_the_person_in_the_files(fresh: Scene) -> None:
    for _ in range(3):
        fresh.signed_in(MIRA)
    leavers = [fresh.signed_in(JONAS) for _ in range(3)]
    fresh.settle()
    before = sealed_values(fresh)

    disconnect(leavers[0])

    fresh.settle()
    with closing(sqlite3.connect(fresh.data_folder / "vault.sqlite")) as database:
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    kept = b"".join(file.read_bytes() for file in sorted(fresh.data_folder.rglob("*.sqlite*")))
    gone = before - sealed_values(fresh)
    assert (len(before), len(gone)) == (8, 4)
    assert [value for value in gone if value in kept] == []
    assert all(value in kept for value in before - gone)


def sealed_values(scene: Scene) -> set[bytes]:
    """Return everything sealed that the database has of people."""
    rows = scene.integration.context.ledger.rows

    async def bodies() -> list[bytes]:
        kinds = (Kind.SESSION, Kind.GRANT)
        return [row.body for kind in kinds for row in await rows.by_name(kind, b"", 99)]

    return set(run_inside(scene, bodies()))
