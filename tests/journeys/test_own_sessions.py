"""The page of a person's sessions: each browser by its name, ended by the person alone."""

import re
from collections.abc import Iterator

import pytest
from journeys.acts import is_signed_in, said, shown_title
from journeys.second_process import second_process
from scene import JONAS, MIRA, Browser, Scene

pytestmark = pytest.mark.check("D07")

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) Version/20.0 Safari/604.1"


@pytest.fixture
def scene(stage: Scene) -> Iterator[Scene]:
    """Begin with nobody signed in."""
    stage.emulator.reset()
    yield stage
    for email in (MIRA, JONAS):
        disconnect(stage.signed_in(email))


def signed_in(scene: Scene, user_agent: str, email: str = MIRA) -> Browser:
    browser = scene.browser()
    browser.http.headers["user-agent"] = user_agent
    assert browser.sign_in(email).status_code == 303
    return browser


def disconnect(browser: Browser) -> None:
    assert browser.post("/disconnect", {"csrf_token": browser.csrf_token()}).status_code == 200


def handles(browser: Browser) -> list[str]:
    """Read what the "End" buttons of the page send."""
    return re.findall(r'name="session" value="([0-9a-f]+)"', browser.get("/sessions").text)


def end(browser: Browser, **fields: str) -> int:
    token = {"csrf_token": browser.csrf_token()}
    return browser.post("/sessions/end", token | fields).status_code


def test_the_page_names_every_browser_of_the_person(scene: Scene) -> None:
    this, _ = signed_in(scene, FIREFOX), signed_in(scene, IPHONE)
    signed_in(scene, "Chrome/1 Windows", JONAS)

    page = this.get("/sessions")

    assert (page.status_code, shown_title(page)) == (200, "Where you are signed in")
    names = re.findall(r"<p><strong>(.*?)</strong>(.*)", page.text)
    assert [name for name, _ in names][:1] == ["Firefox on Linux"]
    assert "this browser" in names[0][1]
    assert "Safari on iPhone" in page.text
    assert "Chrome on Windows" not in page.text


def test_no_name_of_a_session_in_the_store_reaches_a_page(scene: Scene) -> None:
    this = signed_in(scene, FIREFOX)

    (other,) = handles(signed_in(scene, IPHONE))

    assert other not in this.http.cookies.values()
    assert this.get("/sessions").status_code == 200


def test_another_browser_is_signed_out_with_its_button(scene: Scene) -> None:
    this, other = signed_in(scene, FIREFOX), signed_in(scene, IPHONE)
    (handle,) = handles(this)

    assert end(this, session=handle) == 303

    assert not is_signed_in(other)
    assert is_signed_in(this)
    assert "No other browser is signed in." in said(this.get("/sessions"))


def test_all_other_browsers_are_signed_out_at_once(scene: Scene) -> None:
    this, *others = (signed_in(scene, FIREFOX) for _ in range(4))
    jonas = signed_in(scene, FIREFOX, JONAS)

    assert end(this, others="all") == 303

    assert [is_signed_in(other) for other in others] == [False] * 3
    assert is_signed_in(this)
    assert is_signed_in(jonas)


@pytest.mark.check("F07")
def test_the_button_of_one_person_does_nothing_for_another(scene: Scene) -> None:
    mira, jonas = signed_in(scene, FIREFOX), signed_in(scene, FIREFOX, JONAS)
    other = signed_in(scene, IPHONE)
    (handle,) = handles(mira)

    assert end(jonas, session=handle) == 303

    assert is_signed_in(other)


def test_a_form_without_a_choice_is_refused_and_ends_nothing(scene: Scene) -> None:
    this, other = signed_in(scene, FIREFOX), signed_in(scene, IPHONE)

    assert end(this) == 400

    assert is_signed_in(other)


def test_the_forms_address_leads_back_to_the_list(scene: Scene) -> None:
    answer = signed_in(scene, FIREFOX).get("/sessions/end")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions")


@pytest.mark.parametrize(("path", "back"), [("/sessions", "/sessions"), ("/disconnect", "/")])
def test_a_stranger_is_offered_to_sign_in_and_comes_back(
    scene: Scene, path: str, back: str
) -> None:
    answer = scene.browser().get(path)

    assert (answer.status_code, shown_title(answer)) == (401, "Please sign in")
    assert f'name="return_to" value="{back}"' in answer.text


def test_the_persons_page_leads_there(scene: Scene) -> None:
    page = signed_in(scene, FIREFOX).get("/").text

    assert 'href="/sessions"' in page
    assert 'href="/disconnect"' in page


@pytest.mark.check("D05")
def test_a_session_that_ended_in_one_process_is_over_in_the_other_at_once(scene: Scene) -> None:
    this, other = signed_in(scene, FIREFOX), signed_in(scene, IPHONE)
    host = {"host": f"localhost:{scene.port}"}
    with second_process(scene) as port:
        url = f"http://localhost:{port}/logout"
        before = other.http.get(url, headers=host, allow_redirects=False, timeout=30)

        end(this, others="all")

        after = other.http.get(url, headers=host, allow_redirects=False, timeout=30)
    assert (before.status_code, after.status_code) == (200, 303)


def done(browser: Browser, **fields: str) -> str:
    """Press a button of the page; return what the page says afterwards."""
    token = {"csrf_token": browser.csrf_token()}
    answer = browser.post("/sessions/end", token | fields)
    page = browser.get(answer.headers["location"]).text
    (notice,) = re.findall(r'role="status" tabindex="-1" autofocus>(.*?)</p>', page)
    return str(notice)


def test_the_page_says_what_was_done(scene: Scene) -> None:
    this, other = signed_in(scene, FIREFOX), signed_in(scene, IPHONE)
    (handle,) = handles(this)
    for _ in range(2):
        signed_in(scene, FIREFOX)

    said_in_turn = [
        done(this, session=handle),
        done(this, session=handle),
        done(this, others="all"),
        done(this, others="all"),
    ]

    assert said_in_turn == [
        "Signed out Safari on iPhone.",
        "That browser was signed out already.",
        "Signed out 2 other browsers.",
        "Signed out 0 other browsers.",
    ]
    home = other.get("/")
    assert "This browser is no longer signed in." in said(home)
    assert "This browser is no longer signed in." not in said(scene.browser().get("/"))


@pytest.mark.parametrize("proof", ["", "0" * 32, "of another session"])
def test_no_link_of_others_lets_the_page_say_something(scene: Scene, proof: str) -> None:
    other = signed_in(scene, FIREFOX)
    token = {"csrf_token": other.csrf_token(), "others": "all"}
    said_to_other = other.post("/sessions/end", token).headers["location"]
    this = signed_in(scene, IPHONE)
    foreign = said_to_other if "of another" in proof else f"/sessions?notice=Hello.&proof={proof}"

    assert 'role="status"' in other.get(said_to_other).text
    assert 'role="status"' not in this.get(foreign).text


def test_browsers_of_one_name_are_numbered_in_the_order_of_their_sign_ins(scene: Scene) -> None:
    this = signed_in(scene, FIREFOX)
    for _ in range(2):
        scene.emulator.clock.advance(60)
        signed_in(scene, FIREFOX)
    signed_in(scene, IPHONE)

    page = this.get("/sessions").text

    names = re.findall(r"<p><strong>(.*?)</strong>", page)
    assert names[0] == "Firefox on Linux (1)"
    assert sorted(names[1:]) == ["Firefox on Linux (2)", "Firefox on Linux (3)", "Safari on iPhone"]
    labels = re.findall(r'aria-label="Sign out (.*?), last used', page)
    assert sorted(labels) == sorted(names[1:])
