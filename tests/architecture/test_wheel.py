"""The wheel, installed into an empty environment, is the whole program."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from architecture.sources import PACKAGE, ROOT
from edges.command import wait_until_listening
from installed.environments import install
from services.processes import free_port

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


@contextmanager
def serving(program: list[str], folder: Path, *arguments: str) -> Iterator[str]:
    """Run a command in an empty folder; yield its origin."""
    ports = {"PORT": str(free_port()), "EMULATOR_PORT": str(free_port())}
    with subprocess.Popen(
        [*program, *arguments],
        cwd=folder,
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


def test_pip_installs_the_application_and_its_demo_runs_with_its_pages_and_files(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=LIMIT_SECONDS)
    install("-m", "pip", "install", "--quiet", f"{ROOT}[app]", by=folder / "bin" / "python")

    with serving([str(folder / "bin" / "webex-oauth")], tmp_path, "demo") as origin:
        page = requests.get(origin, timeout=LIMIT_SECONDS)

        style = re.search(r'href="(/static/[^"]+\.css)"', page.text)
        assert page.status_code == 200
        assert "Sign in with Webex" in page.text
        assert style is not None
        assert requests.get(origin + style[1], timeout=LIMIT_SECONDS).status_code == 200


def test_the_ladder_runs_from_the_wheel(program: Path, tmp_path: Path) -> None:
    with serving(command(program), tmp_path, "learn", "3") as origin:
        page = requests.get(origin, timeout=LIMIT_SECONDS)

    assert "The ladder" in page.text
