"""The backup and the restore of docs/operations.md, as an operator does them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from edges.command import Server, env_text, environment, server, wait_until_listening
from edges.documents import Example, examples, run
from edges.visiting import sign_in
from services.processes import free_port, require

from webex_oauth.emulator import RunningEmulator

pytestmark = pytest.mark.check("F09")


@contextmanager
def serving(folder: Path, port: int) -> Iterator[Server]:
    with server(folder, "serve") as started:
        wait_until_listening(port)
        yield started
        started.send(signal.SIGTERM)
        started.end()


def example(first_words: str) -> Example:
    """Find an example of the operators' page by how it begins."""
    (found,) = (e for e in examples("docs/operations.md") if e.text.startswith(first_words))
    return found


def without_capabilities() -> list[str]:
    """Return what goes before a command for which modes count, although root runs it."""
    if os.geteuid() != 0:
        return []
    return [str(require("setpriv")), "--bounding-set=-all", "--inh-caps=-all", "--"]


def is_signed_in(browser: requests.Session, port: int) -> bool:
    return "Mira Ito" in browser.get(f"http://localhost:{port}/", timeout=30).text


def test_a_backup_of_a_running_store_is_put_back(tmp_path: Path) -> None:
    port = free_port()
    database = tmp_path / ".webex-oauth" / "vault.sqlite"
    with RunningEmulator() as running:
        (tmp_path / ".env").write_text(env_text(running.emulator, port))
        with serving(tmp_path, port):
            before = sign_in(port)
            run(example("umask"), tmp_path, environment())
            afterwards = sign_in(port)

        run(example("rm -f"), tmp_path, environment())

        with serving(tmp_path, port):
            assert is_signed_in(before, port)
            assert not is_signed_in(afterwards, port)
        assert (tmp_path / "backup.sqlite").stat().st_mode & 0o777 == 0o600

        for mode in (0o644, 0o400):
            database.chmod(mode)
            with server(tmp_path, "serve", before=without_capabilities()) as refused:
                refused.line_with(f"run `chmod 600 {database}`")
                assert refused.end().exit_code == 1
