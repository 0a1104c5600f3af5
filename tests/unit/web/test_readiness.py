"""Readiness: asked of the store now and then, and of this process each time."""

import asyncio

import pytest

from webex_oauth.errors import StoreUnavailable
from webex_oauth.web.application import Readiness

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Server:
    """A process that may be unwilling, and a store that may be down."""

    def __init__(self) -> None:
        self.is_willing = True
        self.is_store_up = True
        self.check_count = 0
        self.readiness = Readiness(self._check, lambda: self.is_willing)

    async def _check(self) -> None:
        self.check_count += 1
        await asyncio.sleep(0)
        if not self.is_store_up:
            raise StoreUnavailable("down")


@pytest.mark.check("H09")
async def test_many_who_ask_are_one_question_to_the_store() -> None:
    server = Server()

    answers = await asyncio.gather(*(server.readiness.is_ready() for _ in range(50)))

    assert set(answers) == {True}
    assert server.check_count == 1


async def test_a_store_that_is_down_is_not_ready() -> None:
    server = Server()
    server.is_store_up = False

    assert not await server.readiness.is_ready()


@pytest.mark.check("H08")
async def test_who_becomes_unwilling_is_not_ready_at_once() -> None:
    server = Server()
    assert await server.readiness.is_ready()

    server.is_willing = False

    assert not await server.readiness.is_ready()
    assert server.check_count == 1
