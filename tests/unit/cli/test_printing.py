"""Foreign text at a terminal: what would act there is shown, and stays on its line."""

import ast
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from webex_oauth import cli
from webex_oauth.cli.output import TerminalLines, complain, say, visible

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egrün\u2028\r\nerror: all is lost\ud800"


def log_line(message: str, fields: object = None, **extra: object) -> str:
    """Log *message* and return what is written."""
    exception = sys.exc_info() if sys.exc_info()[0] else None
    arguments = (fields,) if fields else ()
    record = logging.getLogger("webex_oauth").makeRecord(
        "webex_oauth", logging.WARNING, __file__, 1, message, arguments, exception, extra=extra
    )
    return TerminalLines().format(record)


@pytest.mark.parametrize("write", [say, complain])
def test_what_acts_on_a_terminal_is_shown(
    write: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    write(f"has to sign in again: {HOSTILE}")

    captured = capsys.readouterr()
    (line,) = (captured.out + captured.err).splitlines()
    assert line.isprintable()
    assert "\\x1b]0;owned" in line
    assert "grün" in line


@given(st.text())
def test_any_text_is_one_line_that_a_terminal_only_shows(text: str) -> None:
    shown = visible(text)

    assert not [c for c in shown if c in "\x1b\x9b\r\n\u2028\u202e\u2066" or ord(c) < ord(" ")]
    assert text.isprintable() is False or shown == text


def test_the_log_of_a_terminal_is_for_people() -> None:
    line = log_line(
        "keeping %(grant)s failed: %(error)s",
        {"grant": "0a1b", "error": "down"},
        n=3,
        why="it is full",
    )

    at, _, rest = line.partition(" ")
    assert len(at) == len("21:04:05")
    assert rest == 'WARNING keeping 0a1b failed: down n=3 why="it is full"'


def test_a_hostile_field_cannot_steer_the_terminal_or_make_a_line() -> None:
    line = log_line("refused: %(why)s", {"why": HOSTILE}, path=HOSTILE)

    assert line.isprintable()
    assert line.count("\\x1b[2J") == 2


def test_a_traceback_stands_below_its_line_and_is_shown_too() -> None:
    def failure() -> str:
        try:
            return str(int(HOSTILE))
        except ValueError:
            return log_line("page failed")

    first, *others = failure().splitlines()

    assert first.endswith("page failed")
    assert others[0] == "Traceback (most recent call last):"
    assert all(line.isprintable() for line in others)


def test_no_command_prints_in_another_way() -> None:
    folder = Path(cli.__file__).parent
    found = [
        f"{path.name}:{node.lineno}"
        for path in folder.glob("*.py")
        if path.name != "output.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and prints(ast.unparse(node.func))
    ]

    assert found == []


def prints(called: str) -> bool:
    """Return whether a call writes to the terminal by itself."""
    return called in {"print", "click.echo", "click.secho"} or called.endswith(
        ("stdout.write", "stderr.write")
    )
