"""A session that was sealed with another key, or tampered with, is told as what it is."""

from dataclasses import replace

import pytest
from edges.client import signed_in
from edges.watched_store import WatchedStore
from scene import JONAS, Scene

from webex_oauth.vault.records import EndedSession, SessionRecord
from webex_oauth.vault.store import Admission


class TamperedStore(WatchedStore):
    """Give every session with one byte changed."""

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        record = await super().find_session(digest)
        return record and replace(record, sealed=_with_another_end(record.sealed))


@pytest.mark.check("E06", "F01")
@pytest.mark.parametrize("path", ["/", "/listrooms", "/logout", "/nothing"])
def test_a_broken_seal_is_a_page_with_every_header(
    path: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Scene(tmp_path_factory.mktemp("tampered"), store=TamperedStore()) as scene:
        answer = signed_in(scene).get(path)

    assert answer.status == (404 if path == "/nothing" else 503)
    assert answer.one("content-security-policy")
    assert "Mira" not in answer.text


class GrantTamperingStore(WatchedStore):
    """Give the grant of every ended session with one byte changed."""

    async def admit(self, admission: Admission) -> EndedSession | None:
        return _tampered(await super().admit(admission))

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int
    ) -> EndedSession | None:
        return _tampered(await super().end_session(digest, now=now, idle_seconds=idle_seconds))


def _tampered(ended: EndedSession | None) -> EndedSession | None:
    if ended is None or ended.grant is None:
        return ended
    grant = replace(ended.grant, sealed=_with_another_end(ended.grant.sealed))
    return replace(ended, grant=grant)


def _with_another_end(sealed: bytes) -> bytes:
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


@pytest.mark.check("D05", "F01")
def test_tokens_that_cannot_be_read_any_more_do_not_stop_a_sign_out(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Scene(tmp_path_factory.mktemp("unread"), store=GrantTamperingStore()) as scene:
        client = signed_in(scene)
        answer = client.post("/logout", {"csrf_token": client.csrf_token()})

    assert answer.status == 200
    assert answer.one("clear-site-data")
    assert client.cookies == {}


@pytest.mark.check("F01")
def test_tokens_that_cannot_be_read_any_more_do_not_stop_the_next_sign_in(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Scene(tmp_path_factory.mktemp("unread"), store=GrantTamperingStore()) as scene:
        client = signed_in(scene)
        client.sign_in(JONAS)

        assert "Jonas" in client.get("/").text
        assert client.get("/listrooms").status == 200
