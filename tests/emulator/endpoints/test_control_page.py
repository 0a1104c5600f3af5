"""The page on which a person arranges things, and whose forms it obeys."""

import re

import pytest
from emulator.wire import Wire, WireAnswer

from webex_oauth.emulator import Emulator, Person

PAGE = "/_emulator/"


def press(wire: Wire, name: str, value: str, **more: str) -> WireAnswer:
    """Send what a browser sends for a button, and show the page again."""
    answer = wire.post(PAGE, {name: value, **more}, Origin=wire.origin_of(PAGE))
    return answer if answer.status != 303 else wire.get(answer.location)


def test_the_clock_is_moved_and_set_back(emulator: Emulator, wire: Wire) -> None:
    emulator.clock.stop()
    before = emulator.clock.now()

    press(wire, "advance_seconds", "1296000")
    assert emulator.clock.now() == before + 1_296_000
    press(wire, "reset", "clock")
    assert abs(emulator.clock.now() - before) < 60


def test_the_refresh_mode_is_chosen_and_shown(emulator: Emulator, wire: Wire) -> None:
    page = press(wire, "refresh_mode", "reuse-detect")

    assert emulator.options.refresh_mode == "reuse-detect"
    assert "to the refresh token: <code>reuse-detect</code>" in page.text


def test_every_fault_of_the_page_can_be_added_and_all_dropped(
    emulator: Emulator, wire: Wire, token: str
) -> None:
    names = re.findall(r'name="fault" value="([^"]+)"', wire.get(PAGE).text)
    seen = [(press(wire, "fault", one), wire.get("/v1/rooms", token))[1] for one in names]

    assert [answer.status for answer in seen[:3]] == [503, 429, 302]
    assert str(seen[3].next_url).startswith("http://127.0.0.1:9/v1/rooms?")
    assert len(emulator.faults.rules) == len(names) > 5
    page = press(wire, "reset", "faults")
    assert "No fault is set." in page.text
    assert emulator.faults.rules == ()


def test_a_person_withdraws_what_they_allowed(
    emulator: Emulator, wire: Wire, mira: Person, token: str
) -> None:
    broker_page = wire.get("/idb/profile")
    assert broker_page.location == f"{emulator.origin}{PAGE}#granted"
    emulator.grant_without_consent(mira)
    assert wire.get(PAGE).text.count("Withdraw it") == 1

    client_id = emulator.integration.client_id
    page = press(wire, "withdraw", mira.email, client_id=client_id)

    assert "Withdraw it" not in page.text
    assert wire.get("/v1/people/me", token).status == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("advance_seconds", "1" + "0" * 12),
        ("refresh_mode", "sometimes"),
        ("fault", "no such fault"),
        ("reset", "everything"),
    ],
)
def test_what_cannot_be_done_is_told_on_the_page(wire: Wire, name: str, value: str) -> None:
    answer = press(wire, name, value)

    assert answer.status == 400
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_a_form_of_another_page_is_refused(emulator: Emulator, wire: Wire, origin: str) -> None:
    answer = wire.post(PAGE, {"refresh_mode": "rotate"}, Origin=origin)

    assert answer.status == 403
    assert emulator.options.refresh_mode == "same"


def test_a_name_that_a_foreign_page_points_here_is_refused(wire: Wire) -> None:
    host = "evil.example"
    forged = wire.post(PAGE, {"reset": "clock"}, Host=host, Origin=f"http://{host}")

    assert (wire.get(PAGE, Host=host).status, forged.status) == (403, 403)


def test_the_page_lets_browsers_say_that_its_forms_are_its_own(wire: Wire) -> None:
    assert wire.get(PAGE).headers["Referrer-Policy"] == "same-origin"
