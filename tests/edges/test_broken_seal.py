"""A session that was sealed with another key, or tampered with, is told as what it is."""

from dataclasses import replace

import pytest
from edges.client import signed_in
from scene import JONAS, Scene

from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.records import EndedSession, SessionRecord
from webex_oauth.vault.store import Admission


class TamperedStore(MemoryStore):
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


class GrantTamperingStore(MemoryStore):
    """Change one byte of the first grant that is kept, and so of what is queued of it."""

    is_first = True

    async def admit(self, admission: Admission) -> EndedSession | None:
        if not self.is_first:
            return await super().admit(admission)
        self.is_first = False
        sealed = _with_another_end(admission.grant.sealed)
        return await super().admit(
            replace(admission, grant=replace(admission.grant, sealed=sealed))
        )


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
