"""A grant of `Integration` that asynchronous code holds."""

import asyncio
import gc
import inspect
import warnings

import pytest
from library.people import LUCA, World

from webex_oauth import AsyncGrant, Integration, ReauthRequired
from webex_oauth.library.hosted import HostedGrant, hosted
from webex_oauth.webex import people, rooms


def test_it_is_awaited_in_any_loop(world: World) -> None:
    with Integration(world.settings) as webex:
        grant = hosted(world.adopt_now(webex, LUCA))

        async def use() -> list[object]:
            return [
                (await grant.call(people.me())).display_name,
                len([room async for room in grant.items(rooms.listing())]),
                (await grant.request("GET", "people/me")).status,
                await grant.access_token() == await grant.access_token(),
            ]

        for _ in range(2):
            assert asyncio.run(use()) == ["Luca Moretti", 3, 200, True]


def test_its_errors_are_those_of_the_grant(world: World) -> None:
    with Integration(world.settings) as webex:
        grant = hosted(world.adopt_now(webex, LUCA))
        world.emulator.tokens.clear()

        with pytest.raises(ReauthRequired) as refused:
            asyncio.run(grant.call(people.me()))

    assert refused.value.person_id == grant.person_id


def test_after_the_end_every_verb_says_so_and_leaves_nothing(world: World) -> None:
    with Integration(world.settings) as webex:
        grant = hosted(world.adopt_now(webex, LUCA))

    async def use() -> None:
        for verb in (
            grant.access_token,
            grant.revoke,
            lambda: grant.call(people.me()),
            lambda: grant.request("GET", "people/me"),
            lambda: anext(grant.pages(rooms.listing())),
            lambda: anext(grant.items(rooms.listing())),
        ):
            with pytest.raises(RuntimeError, match="closed"):
                await verb()

    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        asyncio.run(use())
        gc.collect()
    assert left == []


def test_no_verb_runs_in_the_callers_loop() -> None:
    verbs = {
        name
        for name, verb in inspect.getmembers(AsyncGrant, inspect.isfunction)
        if not name.startswith("_")
        and (inspect.iscoroutinefunction(verb) or inspect.isasyncgenfunction(verb))
    }

    assert verbs - {"items"} <= set(vars(HostedGrant))
