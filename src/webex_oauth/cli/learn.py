"""`webex-oauth learn STEP`: a step of the ladder and a local Webex, to try and to break."""

import asyncio
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

import click

from webex_oauth import emulator as local_webex
from webex_oauth.cli.emulator import (
    broker_port_option,
    emulator_port_option,
    local_webex_for,
    port_option,
)
from webex_oauth.cli.output import configure_log, say
from webex_oauth.cli.running import listen, run, stop_on_signals

PACKAGE: Final = Path(__file__).parents[1]
HOST: Final = "127.0.0.1"


@click.command(name="learn")
@click.argument("step", type=click.IntRange(1, 6), default=1)
@port_option
@emulator_port_option
@broker_port_option
def learn_command(*, step: int, port: int, emulator_port: int, broker_port: int | None) -> int:
    """Run STEP of the ladder with a local Webex: from 1, which most samples are, to 6.

    Nothing is kept when it ends.
    """
    configure_log(is_debugging=False)
    with tempfile.TemporaryDirectory(prefix="webex-oauth-learn-") as folder:
        return run(_serve(step, port, emulator_port, broker_port, Path(folder)))


async def _serve(
    step: int, port: int, emulator_port: int, broker_port: int | None, folder: Path
) -> int:
    (await listen(HOST, port)).close()
    async with local_webex_for(port, emulator_port, broker_port) as emulator:
        env = local_webex.sample_env(emulator.integration, emulator.origin)
        (folder / ".env").write_text(env, encoding="utf-8")
        return await _run(step, emulator.origin, folder)


async def _run(step: int, webex: str, folder: Path) -> int:
    """Run a step until a signal comes, or until it ends by itself; return its exit status."""
    lessons = _lessons()
    file = next(lessons.glob(f"{step}_*.py"))
    # In a session of its own, Ctrl-C does not reach it, and it ends without a traceback.
    program = await asyncio.create_subprocess_exec(
        sys.executable, file, cwd=folder, start_new_session=True
    )
    stopping = asyncio.create_task(stop_on_signals(program.kill).wait())
    ending = asyncio.create_task(program.wait())
    _introduce(step, (lessons / "README.md").read_text(encoding="utf-8"))
    say(f"This is {file}.")
    say(f"The local Webex is at {webex}/. Ctrl-C stops both.")
    await asyncio.wait((ending, stopping), return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        program.terminate()
        await ending
        return 0
    stopping.cancel()
    return ending.result()


def _lessons() -> Path:
    """Return the folder of the ladder: beside the modules of the wheel, or in the repository."""
    installed = PACKAGE / "learn"
    return installed if installed.is_dir() else PACKAGE.parents[1] / "learn"


def _introduce(step: int, text: str) -> None:
    """Print what the ladder's README says of a step."""
    section = text.partition(f"## Step {step}: ")[2].partition("## ")[0]
    plain = re.sub("[*`]", "", f"Step {step}: {section}")
    for line in click.wrap_text(plain, width=96, preserve_paragraphs=True).splitlines():
        say(line)
    say("")
