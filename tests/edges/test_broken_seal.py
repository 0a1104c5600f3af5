"""A session that was sealed with another key, or tampered with, is told as what it is."""

from dataclasses import replace

import pytest
from edges.client import signed_in
from edges.watched_store import WatchedStore
from scene import Scene

from webex_oauth.vault.records import SessionRecord


class TamperedStore(WatchedStore):
    """Give every session with one byte changed."""

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        record = await super().find_session(digest)
        return record and replace(record, sealed=record.sealed[:-1] + b"\0")


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
