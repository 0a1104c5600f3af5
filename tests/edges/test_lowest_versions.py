"""The lowest versions that the metadata allows are ones that the application works with."""

import os
import subprocess
import venv
from pathlib import Path

import pytest
import requests
from edges.command import free_port, wait_until_listening
from edges.visiting import SECONDS, sign_in, sign_out
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[2]
INSTALL_SECONDS = 200
NO_INDEX = ("Failed to fetch", "dns error", "network connectivity is disabled")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter with the lowest versions; skip where no package index is reached."""
    folder = tmp_path_factory.mktemp("lowest")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    lowest = ["--resolution", "lowest-direct", "--all-extras", "-r", str(ROOT / "pyproject.toml")]
    installed = subprocess.run(
        [find_uv_bin(), "pip", "install", "--python", str(python), *lowest],
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if any(word in installed.stderr for word in NO_INDEX) and "CI" not in os.environ:
        pytest.skip("no package index can be reached, so the lowest versions cannot be installed")
    assert installed.returncode == 0, installed.stderr
    return python


def test_people_sign_in_see_their_spaces_and_sign_out(python: Path, tmp_path: Path) -> None:
    port = free_port()
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "PORT": str(port),
        "EMULATOR_PORT": str(free_port()),
    }
    with subprocess.Popen(
        [str(python), "-m", "webex_oauth", "demo"],
        cwd=tmp_path,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until_listening(port)
            browser = sign_in(port)
            spaces = browser.get(f"http://localhost:{port}/listrooms", timeout=SECONDS)
            sign_out(browser, port)
            home = requests.get(f"http://localhost:{port}/", timeout=SECONDS).text
        finally:
            process.terminate()
            process.wait(SECONDS)

    assert spaces.status_code == 200
    assert "<table" in spaces.text
    assert "Sign in with Webex" in home


@pytest.mark.parametrize("store", ["postgres", "redis"])
def test_the_drivers_of_the_stores_are_enough(python: Path, store: str) -> None:
    ended = subprocess.run(
        [str(python), "-c", f"import webex_oauth.stores.{store}"],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
