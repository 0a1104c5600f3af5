"""The ladder: each attack succeeds on the steps before its defence, and fails from there on."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from learn import attacks
from learn.attacks import STEPS, STOPPED_BY, App, Attack, running, succeeds

TUTORIAL = Path(attacks.__file__).parents[1] / "docs" / "tutorial.md"
MAX_LINES = 120
MAX_NEW_LINES = 20


def number_of(step: Path) -> int:
    return int(step.name[0])


@pytest.fixture(scope="module", params=STEPS, ids=lambda step: step.stem)
def app(request: pytest.FixtureRequest) -> Iterator[tuple[int, App]]:
    with running(request.param) as app:
        yield number_of(request.param), app


@pytest.mark.parametrize("attack", STOPPED_BY, ids=lambda attack: attack.__name__)
def test_an_attack_succeeds_until_its_defence(app: tuple[int, App], attack: Attack) -> None:
    number, running_step = app

    assert succeeds(attack, running_step) is (number < STOPPED_BY[attack])


ANY_SESSION = 'attempt = next((a for a in ATTEMPTS if a[1] == self.query.get("state")), None)'
DEFENCES = [
    (2, "ATTEMPTS.remove(attempt)", "pass", attacks.known_state),
    (3, 'attempt = self.session, self.query.get("state")', ANY_SESSION, attacks.foreign_callback),
    (3, "self.session = secrets.token_urlsafe()  # others", "pass  #", attacks.planted_session),
    (3, 'self.headers.get("Origin") == ORIGIN', "True", attacks.forged_sign_out),
    (4, "code_verifier = secrets.token_urlsafe()", "code_verifier = 43 * 'a'", attacks.stolen_code),
    (5, "self.requestline = ", "_ = ", attacks.read_log),
    (5, 'return 303, "/"  # away', "return self.home()  # away", attacks.read_history),
    (5, 'ask(f"{BROKER}/revoke", ', "dict(", attacks.outlived_sign_out),
    (5, "add_unredirected_header", "add_header", attacks.stray_token),
    (6, "os.umask(0o077)", "os.umask(0o022)", attacks.restart),
    (6, "with LOCK:  # ten", "if True:  # ten", attacks.ten_tabs),
    (6, "with LOCK:  # not", "if True:  # not", attacks.late_answer),
    (6, "tokens | ask(", "ask(", attacks.short_answer),
]


@pytest.mark.parametrize(
    ("number", "line", "instead", "attack"),
    DEFENCES,
    ids=[attack.__name__ for *_, attack in DEFENCES],
)
def test_an_attack_comes_back_if_its_defence_is_taken_out(
    tmp_path: Path, number: int, line: str, instead: str, attack: Attack
) -> None:
    text = STEPS[number - 1].read_text()
    step = tmp_path / STEPS[number - 1].name
    step.write_text(text.replace(line, instead))

    assert text.count(line) == 1
    with running(step) as app:
        assert succeeds(attack, app)


def test_there_are_six_steps_and_each_from_the_second_on_stops_an_attack() -> None:
    assert [number_of(step) for step in STEPS] == [1, 2, 3, 4, 5, 6]
    assert set(STOPPED_BY.values()) == {2, 3, 4, 5, 6}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.stem)
def test_a_step_is_short(step: Path) -> None:
    assert len(step.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("number", range(1, len(STEPS)), ids=lambda n: STEPS[n].stem)
def test_a_step_changes_little_of_the_one_before(number: int) -> None:
    before, after = (STEPS[n].read_text().partition("import ")[2] for n in (number - 1, number))
    changed = [
        line
        for line in difflib.ndiff(before.splitlines(), after.splitlines())
        if line.startswith("+ ")
    ]

    assert 0 < len(changed) <= MAX_NEW_LINES


def test_the_tutorial_shows_lines_that_the_steps_have() -> None:
    sections = re.split(r"(?m)^## (?=Step \d)", TUTORIAL.read_text())[2:]
    shown = [
        re.findall(r"(?m)^([+-])(.+)$", section.partition("```diff")[2]) for section in sections
    ]

    assert len(shown) == len(STEPS) - 1
    for before, after, lines in zip(STEPS, STEPS[1:], shown, strict=False):
        texts = {"-": (before.read_text(), after.read_text())}
        texts["+"] = texts["-"][::-1]
        assert lines
        for sign, line in lines:
            there, gone = texts[sign]
            assert line in there.splitlines(), line
            assert line not in gone.splitlines(), line
