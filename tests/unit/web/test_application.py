"""The application: which page a request finds, and whether it should come here."""

import asyncio

import pytest
from starlette.exceptions import HTTPException

from webex_oauth.errors import StoreUnavailable
from webex_oauth.web.application import PageRouter, Readiness, handlers, send_static_file
from webex_oauth.web.home import show_home
from webex_oauth.web.listrooms import show_rooms
from webex_oauth.web.sign_in import begin_sign_in, complete_sign_in

TABLE = handlers("/oauth")


@pytest.mark.parametrize(
    ("method", "path", "handler"),
    [
        ("GET", "/", show_home),
        ("HEAD", "/", show_home),
        ("GET", "/listrooms", show_rooms),
        ("GET", "/oauth", complete_sign_in),
        ("POST", "/login", begin_sign_in),
        ("GET", "/static/a/b", send_static_file),
        ("GET", "/static/{name:path}", send_static_file),
    ],
)
def test_a_request_finds_its_page(method: str, path: str, handler: object) -> None:
    assert PageRouter.find(TABLE, path, method) is handler


@pytest.mark.parametrize(
    "path", ["/listroom", "/listrooms/", "//listrooms", "/LISTROOMS", "", "/%6cogin", "/static"]
)
def test_another_path_finds_no_page(path: str) -> None:
    with pytest.raises(HTTPException) as refusal:
        PageRouter.find(TABLE, path, "GET")

    assert refusal.value.status_code == 404


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [("/", "POST", "GET, HEAD"), ("/login", "DELETE", "GET, HEAD, POST")],
)
def test_another_method_is_refused_with_those_there_are(
    path: str, method: str, allowed: str
) -> None:
    with pytest.raises(HTTPException) as refusal:
        PageRouter.find(TABLE, path, method)

    assert (refusal.value.status_code, refusal.value.headers) == (405, {"Allow": allowed})


class Server:
    """A process that may be unwilling, and a store that is asked."""

    def __init__(self) -> None:
        self.is_willing = True
        self.check_count = 0
        self.readiness = Readiness(self._check, lambda: self.is_willing)

    async def _check(self) -> None:
        self.check_count += 1
        await asyncio.sleep(0)


@pytest.mark.check("H09")
@pytest.mark.anyio
async def test_concurrent_probes_are_one_question_to_the_store() -> None:
    server = Server()

    answers = await asyncio.gather(*(server.readiness.is_ready() for _ in range(50)))

    assert set(answers) == {True}
    assert server.check_count == 1


@pytest.mark.check("H09")
@pytest.mark.anyio
@pytest.mark.parametrize("failure", [StoreUnavailable("down"), TimeoutError()])
async def test_a_store_that_does_not_answer_makes_the_server_unready(failure: Exception) -> None:
    async def check() -> None:
        raise failure

    assert not await Readiness(check, lambda: True).is_ready()


@pytest.mark.check("H08")
@pytest.mark.anyio
async def test_a_server_that_becomes_unwilling_is_unready_at_once() -> None:
    server = Server()
    assert await server.readiness.is_ready()

    server.is_willing = False

    assert not await server.readiness.is_ready()
    assert server.check_count == 1
