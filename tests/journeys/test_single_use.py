"""An attempt works once, however often and in whatever process its callback is delivered."""

import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from journeys.acts import TOKEN_PATH, held, is_signed_in, shown_title, token_requests
from journeys.gate import Gate
from journeys.second_process import second_process
from ledgers import sessions
from scene import JONAS, MIRA, Browser, Scene

from webex_oauth.emulator import Answer

DELIVERIES = 50


@pytest.fixture(scope="module")
def other_port(stage: Scene) -> Iterator[int]:
    with second_process(stage) as port:
        yield port


def deliver(scene: Scene, browser: Browser, url: str, port: int) -> requests.Response:
    return requests.get(
        url.replace(scene.origin, f"http://127.0.0.1:{port}"),
        headers={"Host": scene.host},
        cookies=browser.http.cookies.get_dict(),
        allow_redirects=False,
        timeout=30,
    )


@pytest.mark.check("A03")
def test_fifty_deliveries_to_two_processes_make_one_token_request(
    scene: Scene, other_port: int
) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start("/listrooms"))
    sessions_before = held(scene, sessions)
    ports = [scene.port, other_port] * (DELIVERIES // 2)

    with ThreadPoolExecutor(DELIVERIES) as pool:
        answers = list(pool.map(lambda port: deliver(scene, browser, url, port), ports))

    assert token_requests(scene) == 1
    assert len(held(scene, sessions)) == len(sessions_before) + 1
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {303, 409}, statuses
    assert {answer.headers.get("location", "/listrooms") for answer in answers} == {"/listrooms"}


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("?code=of-old&state=of-old", "You are already signed in"),
        ("?error=access_denied&state=of-old", "You are already signed in"),
        ("", "You are already signed in"),
        ("?error=access_denied", "Part of the answer is missing"),
        ("?code=a&code=b&state=c", "That is not an answer from Webex"),
    ],
)
def test_a_signed_in_person_at_an_old_callback_is_told_so_and_led_on(
    scene: Scene, query: str, title: str
) -> None:
    browser = scene.signed_in()

    answer, as_stranger = browser.get(f"/oauth{query}"), scene.browser().get(f"/oauth{query}")

    assert (answer.status_code, shown_title(answer)) == (400, title)
    assert ('href="/">Go to your page</a>' in answer.text) is title.startswith("You are already")
    assert shown_title(as_stranger) != "You are already signed in"
    assert is_signed_in(browser)


@pytest.mark.check("A03")
def test_fifty_deliveries_of_a_refused_code_make_one_token_request(
    scene: Scene, other_port: int
) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start())
    scene.emulator.faults.add("POST", TOKEN_PATH, Answer(status=400, text="{}"), times=None)

    with ThreadPoolExecutor(DELIVERIES) as pool:
        ports = [scene.port, other_port] * (DELIVERIES // 2)
        answers = list(pool.map(lambda port: deliver(scene, browser, url, port), ports))

    assert token_requests(scene) == 1
    assert {answer.status_code for answer in answers} <= {400, 409, 502}
    assert all(shown_title(answer) for answer in answers)


@pytest.mark.check("A06")
def test_a_reload_of_the_callback_sends_the_browser_on(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start("/listrooms"))
    browser.follow(url)
    session_id = browser.session_id

    again = [browser.follow(url), browser.follow(url)]

    assert [answer.status_code for answer in again] == [303, 303]
    assert {answer.headers["location"] for answer in again} == {"/listrooms"}
    assert token_requests(scene) == 1
    assert browser.session_id == session_id
    assert is_signed_in(browser)


@pytest.mark.check("A06")
def test_a_reload_after_a_sign_in_that_failed_does_not_pass_for_one(scene: Scene) -> None:
    browser = scene.signed_in(MIRA)
    url = browser.consent(browser.start("/listrooms"), JONAS)
    refused_url = url.replace("code=", "code=changed-")

    first, again, right = (browser.follow(one) for one in (refused_url, refused_url, url))

    assert shown_title(first) == "Webex no longer accepts this sign-in"
    assert shown_title(again) == shown_title(right) == "You are already signed in"
    assert is_signed_in(browser)


@pytest.mark.check("A06")
def test_a_reload_in_another_browser_gets_nothing(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start())
    browser.follow(url)

    answer = scene.browser().follow(url)

    assert answer.status_code == 400
    assert scene.session_cookie not in answer.cookies
    assert token_requests(scene) == 1


@pytest.mark.check("A06")
def test_a_callback_replayed_after_sign_out_signs_nobody_in(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start())
    attempt = browser.http.cookies.copy()
    browser.follow(url)
    browser.sign_out()
    browser.http.cookies.update(attempt)

    answer = browser.follow(url)

    assert answer.status_code == 400
    assert shown_title(answer) == "This sign-in has expired"
    assert token_requests(scene) == 1
    assert not is_signed_in(browser)


@pytest.mark.check("A06")
def test_a_browser_that_lost_the_first_answer_is_signed_in_by_the_reload(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start("/listrooms"))
    deliver(scene, browser, url, scene.port)
    assert not is_signed_in(browser)

    answer = browser.follow(url)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/listrooms"
    assert is_signed_in(browser)
    assert token_requests(scene) == 1


@pytest.mark.check("A06")
def test_a_reload_while_the_first_request_is_under_way_waits_for_it(tmp_path: Path) -> None:
    gate = Gate()
    with Scene(tmp_path, around_transport=gate.around) as scene, ThreadPoolExecutor(1) as pool:
        browser = scene.browser()
        url = browser.consent(browser.start("/listrooms"))
        ask_and_hang_up(browser, url, gate)
        reload = pool.submit(browser.follow, url)
        gate.open()

        assert reload.result().status_code == 303
        assert is_signed_in(browser)
        assert token_requests(scene) == 1


def ask_and_hang_up(browser: Browser, url: str, gate: Gate) -> None:
    """Send the request as the browser would, and close as soon as Webex is asked."""
    scene = browser.scene
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.http.cookies)
    with socket.create_connection(("127.0.0.1", scene.port)) as connection:
        connection.sendall(
            f"GET {url.removeprefix(scene.origin)} HTTP/1.1\r\n"
            f"Host: {scene.host}\r\nCookie: {cookies}\r\n\r\n".encode()
        )
        gate.wait_for_arrival()
