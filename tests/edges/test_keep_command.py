"""`webex-oauth keep`: a process of its own renews what nobody uses, and tells of it."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from edges.command import run, server, serving
from edges.visiting import MIRA, sign_in
from services.faketime import faked_clock

from webex_oauth.emulator import Emulator

TOKEN_PATH = "/v1/access_token"


@dataclass(frozen=True, slots=True)
class Later:
    """A person signed in, and two months have passed for whoever goes by *clock*."""

    folder: Path
    emulator: Emulator
    clock: dict[str, str]

    def keep(self) -> str:
        """Run one round; return what it tells."""
        ended = run(self.folder, "keep", "--once", **self.clock)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Later]:
    with serving(tmp_path) as (_, emulator, port):
        sign_in(port)
        emulator.journal.clear()
        yield Later(tmp_path, emulator, faked_clock(tmp_path / "clock", "+61d"))


@pytest.mark.check("B13")
def test_a_round_renews_what_is_due_and_then_there_is_nothing_to_do(later: Later) -> None:
    told = [later.keep(), later.keep()]

    assert told == ["kept 1, postponed 0\n", "kept 0, postponed 0\n"]
    assert later.emulator.journal.count("POST", TOKEN_PATH) == 1


@pytest.mark.check("B13")
def test_a_round_names_the_people_who_have_to_sign_in_again(later: Later) -> None:
    later.emulator.tokens.clear()

    told = [later.keep(), later.keep()]

    person = later.emulator.world.person_by_email(MIRA)
    assert person is not None
    assert told[0] == f"kept 0, postponed 0\nhas to sign in again: {person.uuid}\n"
    assert told[1] == "kept 0, postponed 0\n"


def test_nothing_is_renewed_before_its_time(later: Later) -> None:
    ended = run(later.folder, "keep", "--once")

    assert ended.stdout == "kept 0, postponed 0\n"
    assert later.emulator.journal.count("POST", TOKEN_PATH) == 0


@pytest.mark.check("H08")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals, later: Later) -> None:
    with server(later.folder, "keep") as process:
        process.line_with("Keeping grants alive")
        process.send(number)
        ended = process.end()

    assert ended.exit_code == 0
    assert "Traceback" not in ended.output


def test_what_it_cannot_start_with_is_told_in_one_line(tmp_path: Path) -> None:
    ended = run(tmp_path, "keep", "--once")

    assert ended.returncode == 1
    assert "error: no client id" in ended.stderr
    assert "Traceback" not in ended.stderr
