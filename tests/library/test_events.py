"""Events: heard, read and followed."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from library.people import LUCA, MIRA, World
from waiting import LIMIT_SECONDS, until, until_true

from webex_oauth import AsyncIntegration, Event, Integration, SignInError

pytestmark = pytest.mark.anyio

MORE_THAN_ASYNCIO_HAS_THREADS = 40
FOLLOW = Path(__file__).parent / "programs" / "follow.py"


async def test_what_this_process_causes_is_heard_and_can_be_read(world: World) -> None:
    webex = AsyncIntegration(world.settings)
    heard: list[Event] = []

    @webex.events.on("grant.created")
    async def hear(event: Event) -> None:
        heard.append(event)

    async with webex:
        luca = await world.adopt(webex, LUCA)
        mira = await world.adopt(webex, MIRA)
        await luca.revoke()
        events = [event async for event in webex.events.read()]
        of_mira = [event.kind async for event in webex.events.read(person_id=mira.person_id)]
        later = [event async for event in webex.events.read(after=events[0].id)]
        revoked = [event async for event in webex.events.read(kinds=["grant.revoked"])]
        assert [event async for event in webex.events.read(after=2**64)] == []

    assert [event.person_id for event in heard] == [luca.person_id, mira.person_id]
    assert [event.kind for event in events] == ["grant.created"] * 2 + ["grant.revoked"]
    assert of_mira == ["grant.created"]
    assert later == events[1:]
    assert [event.person_id for event in revoked] == [luca.person_id]


def test_without_a_loop_a_listener_may_use_the_integration(world: World) -> None:
    webex, names, done = Integration(world.settings), [], threading.Event()

    @webex.events.on("grant.created")
    def hear(event: Event) -> None:
        names.append(webex.grants.get(event.person_id).display_name)
        done.set()

    with webex:
        world.adopt_now(webex, LUCA)
        assert done.wait(LIMIT_SECONDS)

        assert names == ["Luca Moretti"]
        assert [event.kind for event in webex.events.read()] == ["grant.created"]


async def test_a_listener_may_use_the_integration_until_it_is_closed(world: World) -> None:
    webex, leaving, names = AsyncIntegration(world.settings), asyncio.Event(), []

    @webex.events.on("grant.created")
    async def hear(event: Event) -> None:
        await leaving.wait()
        names.append((await webex.grants.get(event.person_id)).display_name)

    async with webex:
        await world.adopt(webex, LUCA)
        leaving.set()

    assert names == ["Luca Moretti"]


def test_without_a_loop_a_listener_may_use_it_until_it_is_closed(world: World) -> None:
    webex, leaving, names = Integration(world.settings), threading.Event(), []

    @webex.events.on("grant.created")
    def hear(event: Event) -> None:
        leaving.wait(LIMIT_SECONDS)
        names.append(webex.grants.get(event.person_id).display_name)

    with webex:
        world.adopt_now(webex, LUCA)
        leaving.set()

    assert names == ["Luca Moretti"]


def test_listeners_that_block_hold_up_no_call(world: World) -> None:
    webex, leave = Integration(world.settings), threading.Event()

    @webex.events.on("sign_in.failed")
    def hear(_: Event) -> None:
        leave.wait(LIMIT_SECONDS)

    with webex:
        for _ in range(MORE_THAN_ASYNCIO_HAS_THREADS):
            with pytest.raises(SignInError):
                webex.sign_in.complete("code=c&state=s", {})
        try:
            # Its first connection, for which a name is looked up in a thread.
            assert world.adopt_now(webex, LUCA).display_name == "Luca Moretti"
        finally:
            leave.set()


async def test_a_follower_gets_what_other_processes_cause(world: World) -> None:
    got: list[str] = []

    async def take(event: Event) -> None:
        got.append(event.kind)

    async with AsyncIntegration(world.settings) as one, AsyncIntegration(world.settings) as other:
        following = asyncio.create_task(one.events.follow("audit", take))
        await world.adopt(other, LUCA)
        await until_true(lambda: got == ["grant.created"])
        following.cancel()


def test_a_follower_that_is_killed_between_two_events_delivers_both(world: World) -> None:
    seen = world.folder / "seen"
    with Integration(world.settings) as webex:
        people = {world.adopt_now(webex, email).person_id for email in (LUCA, MIRA)}
        first = subprocess.Popen([sys.executable, FOLLOW, "stop"], cwd=world.folder)
        until(lambda: seen.exists() and bool(seen.read_text()))
        first.kill()
        first.wait()
        second = subprocess.Popen([sys.executable, FOLLOW], cwd=world.folder)
        try:
            until(lambda: set(seen.read_text().split()) == people)
        finally:
            second.kill()
            second.wait()
