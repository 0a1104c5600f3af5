"""An id goes to Webex as one segment of a path, or nowhere."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from edges.stage import Stage

from webex_oauth.secret import Secret
from webex_oauth.vault.records import digest
from webex_oauth.webex import people, rooms
from webex_oauth.webex.api import Call

HOSTILE_IDS = (
    "..",
    ".",
    "",
    " ",
    "../people/me",
    "..\\people\\me",
    "/people/me",
    "//evil.example/",
    "a/../../people/me",
    "a/b",
    "a%2fb",
    "%2e%2e",
    "%2e%2e%2fpeople%2fme",
    "..%2fpeople%2fme",
    "%252e%252e%252f",
    "a?max=1",
    "a#b",
    "a;b=c",
    "a\r\nx-injected: yes",
    "a\nb",
    "a\rb",
    "a\x00b",
    "a b",
    "a\tb",
    "http://evil.example/",
    "@evil.example",
    "a\u2028b",
    "\u202ea",
    "\uff0e\uff0e\uff0f",
    "\ud800",
    "x" * 10_000,
)
CALLS: tuple[Callable[[str], Call[Any]], ...] = (rooms.get, people.get)


def ask(stage: Stage, make_call: Callable[[str], Call[Any]], id_: str) -> object:
    """Ask Webex for something by its id, as the person who is signed in."""
    integration = stage.scene.integration
    session_id = Secret(stage.signed_in.cookies[stage.scene.session_cookie])

    async def call() -> object:
        session = await integration.context.ledger.find_session(digest(session_id))
        assert session is not None
        return await integration.api(session.record.grant_key).call(make_call(id_))

    return asyncio.run_coroutine_threadsafe(call(), stage.scene.loop).result(timeout=10)


@pytest.mark.check("E10")
@pytest.mark.parametrize("make_call", CALLS, ids=["room", "person"])
@pytest.mark.parametrize("id_", HOSTILE_IDS, ids=ascii)
def test_a_hostile_id_is_one_segment_or_is_refused_before_any_request(
    id_: str, make_call: Callable[[str], Call[Any]], stage: Stage
) -> None:
    journal = stage.scene.emulator.journal
    asked_before = journal.count()

    try:
        ask(stage, make_call, id_)
    except ValueError:
        assert journal.count() == asked_before
    except Exception:  # noqa: BLE001 - whatever Webex said, what matters is what it was asked
        path = journal.entries[-1].path
        assert path.count("/") == len(("", "v1", "rooms"))
        assert unquote(path).startswith(("/v1/rooms/", "/v1/people/"))
        assert journal.count() == asked_before + 1
    else:
        pytest.fail("a hostile id was found")


@pytest.mark.check("E10")
def test_a_good_id_finds_its_room(stage: Stage) -> None:
    person = stage.scene.emulator.world.person_by_email("mira@acme.example")
    assert person is not None
    listed = stage.scene.emulator.world.rooms(person)[0]

    room = ask(stage, rooms.get, listed.id)

    assert getattr(room, "id", None) == listed.id
