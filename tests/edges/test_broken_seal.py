"""A session that was sealed with another key, or tampered with, is told as what it is."""

from collections.abc import Sequence

import pytest
from edges.client import signed_in
from msgspec.structs import replace
from scene import JONAS, Scene

from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.rows import Change, Kind, Row


class TamperedRows(MemoryRows):
    """Changes one byte of the sessions that are read."""

    async def read(self, *rows: Row) -> Sequence[Row]:
        found = await super().read(*rows)
        return [tampered(row) if row.kind is Kind.SESSION and row.rev else row for row in found]


@pytest.mark.check("E06", "F01")
@pytest.mark.parametrize("path", ["/", "/listrooms", "/logout", "/nothing"])
def test_a_broken_seal_is_a_page_with_every_header(
    path: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Scene(tmp_path_factory.mktemp("tampered"), rows=TamperedRows()) as scene:
        answer = signed_in(scene).get(path)

    assert answer.status == (404 if path == "/nothing" else 503)
    assert answer.one("content-security-policy")
    assert "Mira" not in answer.text


class TamperedGrantRows(MemoryRows):
    """Changes one byte of the first grant that is kept."""

    is_first = True

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        if self.is_first and any(change.row.kind is Kind.GRANT for change in changes):
            self.is_first = False
            changes = [
                replace(one, row=tampered(one.row)) if one.row.kind is Kind.GRANT else one
                for one in changes
            ]
        return await super().apply(changes, durably=durably)


def tampered(row: Row) -> Row:
    return replace(row, body=row.body[:-1] + bytes([row.body[-1] ^ 1]))


@pytest.mark.check("D05", "F01")
def test_tokens_that_cannot_be_read_any_more_do_not_stop_a_sign_out(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Scene(tmp_path_factory.mktemp("unread"), rows=TamperedGrantRows()) as scene:
        client = signed_in(scene)
        answer = client.post("/logout", {"csrf_token": client.csrf_token()})

    assert answer.status == 200
    assert answer.one("clear-site-data")
    assert client.cookies == {}


@pytest.mark.check("F01")
def test_tokens_that_cannot_be_read_any_more_do_not_stop_the_next_sign_in(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Scene(tmp_path_factory.mktemp("unread"), rows=TamperedGrantRows()) as scene:
        client = signed_in(scene)
        client.sign_in(JONAS)

        assert "Jonas" in client.get("/").text
        assert client.get("/listrooms").status == 200
