"""People made for the bench are there as if they had signed in, and reading them writes nothing."""

from pathlib import Path

import pytest
from unit.settings.examples import GOOD

from bench.people import add_people, read_person, session_id
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings
from webex_oauth.vault.records import digest

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_everyone_who_was_added_is_found_unchanged(tmp_path: Path) -> None:
    variables = {"WEBEX_STORE_URL": "memory:", "WEBEX_KEYS_FILE": str(tmp_path / "keys" / "keys")}
    async with open_integration(Settings.from_env(None, GOOD | variables)) as integration:
        await add_people(integration, range(3))
        found = [digest(session_id(serial)) for serial in range(3)]
        before = [await integration.context.ledger.find_session(one) for one in found]
        for serial in range(3):
            await read_person(integration, serial)
        after = [await integration.context.ledger.find_session(one) for one in found]

    assert None not in before
    assert before == after
