"""A test that fails leaves nothing behind that fails the next one."""

import os
import subprocess
import sys
from pathlib import Path

from architecture.sources import ROOT

TESTS = """
import asyncio, gc, socket, subprocess, sys

def test_that_fails_with_a_socket():
    left = socket.socket()
    assert not left

def test_that_fails_with_a_server():
    async def run():
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        raise ValueError
    asyncio.run(run())

def test_that_fails_in_a_chain():
    def open_and_fail():
        left = open(__file__)
        raise KeyError
    try:
        open_and_fail()
    except KeyError as error:
        raise ValueError from error

def test_that_passes():
    gc.collect()
"""


def test_what_a_failed_test_left_open_fails_no_neighbour(tmp_path: Path) -> None:
    (tmp_path / "test_left.py").write_text(TESTS)
    project = ("-c", ROOT / "pyproject.toml", "--rootdir", tmp_path, "-p", "no:cacheprovider")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *project, "-p", "leftovers", "-q", tmp_path],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "3 failed, 1 passed" in ended.stdout, ended.stdout
