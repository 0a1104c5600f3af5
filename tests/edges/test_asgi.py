"""`webex_oauth.asgi`: the application under another server than ours, and inside another one."""

import signal
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import requests
from dotenv import dotenv_values
from edges.command import env_text, server, wait_until_listening
from edges.visiting import sign_in
from services.processes import free_port

from webex_oauth.asgi import app
from webex_oauth.emulator import RunningEmulator

SECONDS = 10
HOST = """
import os
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from webex_oauth import Settings
from webex_oauth.asgi import create_app

webex = create_app(Settings.from_env(None, os.environ))

@asynccontextmanager
async def lifespan(_):
    async with webex.opened():
        yield

async def hello(_):
    return PlainTextResponse("hello")

host = Starlette(routes=[Route("/hello", hello), Mount("/", webex)], lifespan=lifespan)
"""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def variables(port: int) -> Iterator[dict[str, str]]:
    with RunningEmulator() as running:
        values = dotenv_values(stream=StringIO(env_text(running.emulator, port)))
        yield {name: value or "" for name, value in values.items()}


def test_any_server_serves_the_application_of_the_environment(
    tmp_path: Path, port: int, variables: dict[str, str]
) -> None:
    arguments = ("webex_oauth.asgi:app", "--port", str(port), "--no-access-log")
    with server(tmp_path, *arguments, module="uvicorn", **variables) as process:
        wait_until_listening(port)
        spaces = sign_in(port).get(f"http://localhost:{port}/listrooms", timeout=SECONDS)
        process.send(signal.SIGTERM)
        ended = process.end()

    assert "<table" in spaces.text
    assert "Application shutdown complete" in ended.output
    assert "Traceback" not in ended.output


def test_a_mistake_in_the_environment_is_what_the_server_reports(tmp_path: Path) -> None:
    with server(tmp_path, "webex_oauth.asgi:app", module="uvicorn") as process:
        ended = process.end()

    assert ended.exit_code != 0
    assert "CLIENT_SECRET is missing" in ended.output
    assert "Traceback" not in ended.output


def test_another_application_mounts_it_beside_its_own_routes(
    tmp_path: Path, port: int, variables: dict[str, str]
) -> None:
    (tmp_path / "host.py").write_text(HOST)
    arguments = ("host:host", "--port", str(port), "--no-access-log")
    with server(tmp_path, *arguments, module="uvicorn", **variables):
        wait_until_listening(port)
        browser = sign_in(port)
        hello = browser.get(f"http://localhost:{port}/hello", timeout=SECONDS)
        spaces = browser.get(f"http://localhost:{port}/listrooms", timeout=SECONDS)

    assert hello.text == "hello"
    assert spaces.status_code == requests.codes.ok


@pytest.mark.anyio
async def test_without_its_lifespan_it_says_what_to_do() -> None:
    async def unused(*_: object) -> dict[str, object]:
        raise AssertionError

    with pytest.raises(RuntimeError, match="lifespan on"):
        await app({"type": "http"}, unused, unused)  # type: ignore[arg-type]  # neither is called
