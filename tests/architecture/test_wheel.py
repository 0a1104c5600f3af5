"""The wheel, installed into an empty environment, is the whole program."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from architecture.sources import PACKAGE, ROOT
from edges.command import free_port, wait_until_listening

LIMIT_SECONDS = 30


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with what is installed: no download, no isolation."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=LIMIT_SECONDS)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a new environment that borrows this one's dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


def command(program: Path) -> list[str]:
    """Start the entry point that the wheel declares."""
    call = (
        "from importlib.metadata import entry_points as e; "
        "next(iter(e(group='console_scripts', name='webex-oauth'))).load()()"
    )
    return [str(program), "-I", "-c", call]


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    wanted = {
        f"webex_oauth/{file.relative_to(PACKAGE).as_posix()}"
        for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    held = set(zipfile.ZipFile(wheel).namelist())

    assert wanted <= held
    assert "webex_oauth/py.typed" in held
    assert not [name for name in held if name.startswith(("tests/", "bench/", "docs/"))]


def test_the_wheel_runs_from_its_own_files(program: Path, tmp_path: Path) -> None:
    where = "import webex_oauth; print(webex_oauth.__file__)"
    ended = subprocess.run(
        [str(program), "-I", "-c", where],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
    )

    assert ended.stdout.startswith(str(program.parent.parent))


def test_the_wheel_tells_its_version(program: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [*command(program), "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
    )

    assert re.fullmatch(r"webex-oauth \d+\.\d+\.\d+\n", ended.stdout)


@pytest.fixture
def demo_origin(program: Path, tmp_path: Path) -> Iterator[str]:
    """Run the wheel's demo in an empty folder."""
    ports = {"PORT": str(free_port()), "EMULATOR_PORT": str(free_port())}
    with subprocess.Popen(
        [*command(program), "demo"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **ports},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until_listening(int(ports["PORT"]))
            yield f"http://localhost:{ports['PORT']}"
        finally:
            process.terminate()
            process.wait(LIMIT_SECONDS)


def test_the_demo_runs_from_any_folder_with_its_pages_and_files(demo_origin: str) -> None:
    page = requests.get(demo_origin, timeout=LIMIT_SECONDS)

    style = re.search(r'href="(/static/[^"]+\.css)"', page.text)
    assert page.status_code == 200
    assert "Sign in with Webex" in page.text
    assert style is not None
    assert requests.get(demo_origin + style[1], timeout=LIMIT_SECONDS).status_code == 200
