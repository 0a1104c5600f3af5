"""Integrations in threads, loops and processes; a wrong use is refused at once."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from library.people import LUCA, World, cookies_of
from waiting import until_true

from webex_oauth import AsyncIntegration, Integration, SignInError, TemporaryError
from webex_oauth.errors import AttemptForeign, AuthorizationRefused, StoreUnavailable
from webex_oauth.library.loop import Runner
from webex_oauth.webex import people, rooms

pytestmark = pytest.mark.anyio

PROGRAMS = Path(__file__).parent / "programs"
LIMIT_SECONDS = 30


def test_it_works_without_a_loop_and_from_any_thread(world: World) -> None:
    with Integration(world.settings) as webex:
        grant = world.adopt_now(webex, LUCA)
        with ThreadPoolExecutor(8) as pool:
            tokens = set(pool.map(lambda _: grant.access_token(), range(50)))

        assert len(tokens) == 1
        assert grant.call(people.me()).display_name == "Luca Moretti"
        assert len(list(grant.items(rooms.listing()))) == 3
        assert webex.grants.one() == grant
        assert [one.person_id for one in webex.grants.list()] == [grant.person_id]
        assert webex.grants.find(email=LUCA) == grant


def test_closing_ends_a_sign_in_that_waits_for_a_device(world: World) -> None:
    webex, is_shown = Integration(world.settings), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(webex.sign_in.with_device, show=lambda _: is_shown.set())
        assert is_shown.wait(LIMIT_SECONDS)

        webex.close()

        with pytest.raises(RuntimeError, match="is not open"):
            waiting.result(LIMIT_SECONDS)


def test_a_sign_in_is_values_in_and_out(world: World) -> None:
    with Integration(world.settings) as webex:
        start = webex.sign_in.begin(return_to="/here")
        cookies = cookies_of(start.set_cookies)
        end = webex.sign_in.complete(world.callback(start.url, LUCA), cookies, session=True)
        browser = cookies_of(end.set_cookies)

        current = webex.sign_in.current(browser)
        assert current is not None
        assert current == end.grant
        webex.sign_in.sign_out(browser)
        assert webex.sign_in.current(browser) is None


def test_a_failed_sign_in_says_where_the_person_was_going(world: World) -> None:
    with Integration(world.settings) as webex:
        start = webex.sign_in.begin(return_to="/here")
        cookies = cookies_of(start.set_cookies)
        query = world.callback(start.url, LUCA, "decline")
        with pytest.raises(SignInError) as declined:
            webex.sign_in.complete(query, cookies)
        with pytest.raises(AttemptForeign) as foreign:
            webex.sign_in.complete(query, {})

    assert isinstance(declined.value, AuthorizationRefused)
    assert (declined.value.reason, declined.value.return_to) == ("access_denied", "/here")
    assert (foreign.value.reason, foreign.value.return_to) == ("attempt_foreign", "/")


def test_it_opens_at_first_use_and_not_again_after_its_end(world: World) -> None:
    webex = Integration(world.settings)
    assert not world.settings.keys_file.exists()
    assert list(webex.grants.list()) == []
    webex.close()
    webex.close()

    with pytest.raises(RuntimeError, match="make another one"):
        webex.grants.one()


async def test_it_is_of_use_inside_its_block_alone(world: World) -> None:
    webex = AsyncIntegration(world.settings)
    with pytest.raises(RuntimeError, match="async with"):
        await webex.grants.one()
    async with webex:
        grant = await world.adopt(webex, LUCA)
        with pytest.raises(RuntimeError, match="already"):
            await webex.__aenter__()
    with pytest.raises(RuntimeError, match="async with"):
        await grant.access_token()


async def test_another_loop_is_refused_at_once(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        elsewhere = asyncio.to_thread(lambda: asyncio.run(webex.grants.one()))
        with pytest.raises(RuntimeError, match="another event loop"):
            await elsewhere


def test_the_loop_does_not_wait_for_itself(world: World) -> None:
    with Integration(world.settings) as webex:
        grant = world.adopt_now(webex, LUCA)

        async def inside() -> str:
            with pytest.raises(RuntimeError, match="AsyncIntegration") as refused:
                grant.access_token()
            return str(refused.value)

        assert "wait for itself" in webex._runner.run(inside())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_opens_anew_and_the_parent_goes_on(world: World) -> None:
    told = run_program("fork", world)

    assert told.splitlines() == ["parent Luca Moretti", "child Luca Moretti", "parent Luca Moretti"]


def test_control_c_ends_a_wait_and_the_program(world: World) -> None:
    process = start_program("wait_long", world)
    assert process.stdout
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=LIMIT_SECONDS)

    assert told == "interrupted\n"
    assert process.returncode == 0


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt, also where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_interrupts")
def test_control_c_at_the_end_of_opening_leaves_it_of_use() -> None:
    opened: list[int] = []

    async def enter() -> None:
        opened.append(1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(0.2)  # noqa: ASYNC251 - the caller gives up meanwhile, and cannot stop it

    async def leave() -> None:
        opened.clear()

    runner = Runner(enter, leave, nothing)
    with pytest.raises(KeyboardInterrupt):
        runner.open()
    runner.open()

    assert opened == [1]
    runner.close()
    assert opened == []


async def nothing() -> None:
    """Neither open nor close anything."""


def test_the_handler_of_a_signal_may_close_it_while_it_opens() -> None:
    handled: list[int] = []
    left: list[int] = []

    async def enter() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        await until_true(lambda: handled)

    async def leave() -> None:
        left.append(1)

    def handle(number: int, _: object) -> None:
        handled.append(number)
        runner.close()

    runner = Runner(enter, leave, nothing)
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        runner.open()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert left == [1]
    with pytest.raises(RuntimeError, match="closed"):
        runner.open()


def test_all_threads_wait_for_one_opening_and_hear_how_it_failed() -> None:
    tries: list[int] = []

    async def enter() -> None:
        tries.append(1)
        await until_true(lambda: len(waiting_for_it()) == 1 + len(threads))
        raise StoreUnavailable("down")

    def waiting_for_it() -> list[object]:
        names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
        return [name for name in names if name.startswith("Runner.")]

    def ask() -> str:
        with pytest.raises(StoreUnavailable) as failed:
            runner.open()
        return str(failed.value)

    runner, threads = Runner(enter, nothing, nothing), range(8)
    with ThreadPoolExecutor(len(threads)) as pool:
        told = [future.result() for future in [pool.submit(ask) for _ in threads]]

    assert (tries, set(told)) == ([1], {str(StoreUnavailable("down"))})


def test_a_half_read_list_may_be_left_in_the_loops_own_thread() -> None:
    closed = threading.Event()

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            closed.set()

    async def collect(items: Generator[int]) -> None:
        items.close()  # as the garbage collector does wherever it runs

    runner = Runner(nothing, nothing, nothing)
    items = runner.iterate(source())
    assert isinstance(items, Generator)
    assert next(items) == 1

    runner.run(collect(items))

    assert closed.wait(LIMIT_SECONDS)
    runner.close()


def test_a_list_may_be_left_half_read_when_the_integration_closes(world: World) -> None:
    with Integration(world.settings) as webex:
        items = world.adopt_now(webex, LUCA).pages(rooms.listing())
        assert next(items).items

    assert isinstance(items, Generator)
    items.close()


def test_what_is_not_closed_is_closed_when_the_process_ends(world: World) -> None:
    assert run_program("never_close", world) == "Luca Moretti\n"
    left = [path.name for path in world.settings.keys_file.parent.iterdir()]
    assert not [name for name in left if name.endswith("-wal")]


def test_a_thread_that_outlives_the_main_thread_works_on(world: World) -> None:
    assert run_program("main_ends", world) == "heard of Luca Moretti\n"


def test_threads_do_not_grow_with_integrations(world: World) -> None:
    before = threading.active_count()
    for _ in range(5):
        with Integration(world.settings) as webex:
            list(webex.grants.list())
    gc.collect()

    assert threading.active_count() <= before + 1


def test_a_store_that_is_away_is_a_temporary_error(world: World) -> None:
    world.env_file.write_text(
        world.env_file.read_text() + "\nWEBEX_STORE_URL=redis://127.0.0.1:1/\n"
    )
    webex = Integration(type(world.settings).from_env(world.env_file, {}))
    with pytest.raises(TemporaryError, match="store"):
        webex.grants.one()


def start_program(name: str, world: World) -> subprocess.Popen[str]:
    adopted = [token.reveal() for token in world.issued(LUCA)]
    (world.folder / "tokens").write_text("\n".join(adopted))
    return subprocess.Popen(
        [sys.executable, PROGRAMS / f"{name}.py"],
        cwd=world.folder,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_program(name: str, world: World) -> str:
    process = start_program(name, world)
    told, _ = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0
    return told
