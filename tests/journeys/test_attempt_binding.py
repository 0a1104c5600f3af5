"""An attempt belongs to the browser that began it, and its code to the attempt."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from journeys.acts import (
    TOKEN_PATH,
    callback,
    is_signed_in,
    offered_return_to,
    parameter,
    shown_title,
    token_requests,
)
from scene import JONAS, MIRA, Scene

from webex_oauth.emulator import digest
from webex_oauth.flows.sign_in import HOME
from webex_oauth.oauth.authorization import MAX_MORE_SCOPES_CHARACTERS
from webex_oauth.webex.scopes import SCOPES

STARTS = 1_000
TABS = ("/listrooms?filter=one", "/listrooms?filter=two", "/", "/listrooms", "/index.html")


@pytest.mark.check("A01")
def test_every_sign_in_asks_with_a_challenge_of_its_own(scene: Scene) -> None:
    begin = scene.integration.sign_in.begin

    urls = [begin(HOME).authorization_url for _ in range(STARTS)]

    assert {parameter(url, "code_challenge_method") for url in urls} == {"S256"}
    assert len({parameter(url, "code_challenge") for url in urls}) == STARTS
    assert len({parameter(url, "state") for url in urls}) == STARTS


@pytest.mark.check("A01")
def test_webex_verifies_the_challenge_with_the_verifier(scene: Scene) -> None:
    scene.signed_in()

    (exchange,) = scene.emulator.journal.matching("POST", TOKEN_PATH)

    assert "pkce_verified" in exchange.notes
    assert exchange.form_by_name["code_verifier"].startswith("sha256:")


@pytest.mark.check("A02")
def test_a_callback_in_another_browser_is_refused(scene: Scene) -> None:
    mira, stranger = scene.browser(), scene.browser()
    stranger.start()
    url = mira.consent(mira.start("/listrooms"))

    answer = stranger.follow(url)

    assert answer.status_code == 400
    assert shown_title(answer) == "This sign-in was started in another browser"
    assert offered_return_to(answer) == "/"
    assert token_requests(scene) == 0
    assert scene.session_cookie not in answer.cookies
    assert not is_signed_in(stranger)


@pytest.mark.check("A02")
def test_a_callback_without_cookies_is_refused_and_the_right_browser_still_gets_in(
    scene: Scene,
) -> None:
    mira = scene.browser()
    url = mira.consent(mira.start())

    refused = scene.browser().follow(url)

    assert refused.status_code == 400
    assert token_requests(scene) == 0
    assert mira.follow(url).status_code == 303
    assert is_signed_in(mira)


@pytest.mark.check("A02")
def test_the_cookie_of_another_attempt_does_not_open_this_one(scene: Scene) -> None:
    mira, thief = scene.browser(), scene.browser()
    url = mira.consent(mira.start())
    thief.start()
    (name,) = (cookie.name for cookie in mira.http.cookies)
    (value,) = (cookie.value or "" for cookie in thief.http.cookies)
    thief.http.cookies.set(name, value)

    answer = thief.follow(url)

    assert answer.status_code == 400
    assert token_requests(scene) == 0


@pytest.mark.check("A02")
@pytest.mark.parametrize("state", ["x", "set_state_here", "é", "a" * 5_000, "' OR 1=1 --"])
def test_an_invented_state_is_refused(scene: Scene, state: str) -> None:
    browser = scene.browser()
    browser.start()

    answer = browser.follow(callback(scene, code="abc", state=state))

    assert answer.status_code == 400
    assert token_requests(scene) == 0


@pytest.mark.check("A07")
def test_an_attackers_code_in_the_victims_callback_signs_nobody_in(scene: Scene) -> None:
    victim = scene.signed_in(MIRA)
    attacker = scene.browser()
    code = parameter(attacker.consent(attacker.start(), JONAS), "code")
    state = parameter(victim.consent(victim.start()), "state")

    answer = victim.follow(callback(scene, code=code, state=state))

    assert answer.status_code == 400
    assert shown_title(answer) == "Webex no longer accepts this sign-in"
    assert "Mira" in victim.get("/").text
    assert "Jonas" not in victim.get("/").text


@pytest.mark.check("A07")
def test_each_code_meets_the_verifier_of_its_own_attempt(scene: Scene) -> None:
    browser = scene.browser()
    first = browser.consent(browser.start())
    second = browser.consent(browser.start())

    swapped = [
        callback(scene, code=parameter(one, "code"), state=parameter(other, "state"))
        for one, other in ((first, second), (second, first))
    ]

    assert [browser.follow(url).status_code for url in swapped] == [400, 400]
    assert not is_signed_in(browser)
    assert token_requests(scene) == 2


@pytest.mark.check("A04")
def test_several_sign_ins_of_one_browser_end_in_any_order_each_where_it_was_going(
    scene: Scene,
) -> None:
    browser = scene.browser()
    urls = [browser.consent(browser.start(return_to)) for return_to in TABS]

    answers = [browser.follow(url) for url in reversed(urls)]

    assert [answer.status_code for answer in answers] == [303] * len(TABS)
    assert [answer.headers["location"] for answer in answers] == [*reversed(TABS)]


@pytest.mark.check("A14")
def test_the_callback_cannot_change_where_the_sign_in_leads(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start("/listrooms"))

    answer = browser.follow(f"{url}&{urlencode({'return_to': '//evil.example', 'next': '/x'})}")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/listrooms"


@pytest.mark.check("A15")
def test_the_callback_leads_to_a_clean_url(scene: Scene) -> None:
    answer = scene.browser().sign_in(return_to="/listrooms?filter=a")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/listrooms?filter=a"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == b""


@pytest.mark.check("A02")
def test_a_prefetched_callback_spends_nothing(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start())

    ahead = [
        browser.follow(url, headers={"Sec-Purpose": "prefetch;prerender"}),
        browser.follow(url, headers={"Purpose": "prefetch"}),
        browser.follow(url, headers={"X-Moz": "prefetch"}),
    ]

    assert [answer.status_code for answer in ahead] == [204] * 3
    assert token_requests(scene) == 0
    assert browser.follow(url).status_code == 303


@pytest.mark.check("A02")
def test_the_code_reaches_webex_and_nobody_else_unchanged(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start())

    browser.follow(url)

    (exchange,) = scene.emulator.journal.matching("POST", TOKEN_PATH)
    assert exchange.form_by_name["code"] == digest(parameter(url, "code"))


def test_a_link_asks_for_more_scopes_once_its_person_agrees(scene: Scene) -> None:
    browser, path = scene.browser(), "/login?scope=spark:rooms_write"
    asked = {*scene.settings.scopes, "spark:rooms_write"}

    confirming = browser.get(path, headers={"sec-fetch-site": "cross-site"}).text
    followed = browser.get(path, allow_redirects=False)
    pressed = browser.post("/login", {"scope": "spark:rooms_write"})

    assert 'name="scope" value="spark:rooms_write"' in confirming
    for answer in (followed, pressed):
        assert set(parameter(answer.headers["location"], "scope").split()) == asked
    assert browser.get("/login?scope=%C3%A9").status_code == 400


def test_who_was_granted_more_than_an_attempt_can_carry_can_still_ask(scene: Scene) -> None:
    more = sorted(name for name in SCOPES if name.startswith("spark-admin:"))
    first, second = more[:16], more[16:20]
    own = scene.emulator.integrations.find(scene.settings.client.client_id)
    assert own
    scene.emulator.integrations.register(replace(own, scopes=(*own.scopes, *first, *second)))
    browser = scene.browser()
    begun = browser.get(f"/login?scope={'+'.join(first)}")
    assert browser.follow(browser.consent(begun.headers["location"])).status_code == 303

    asked = browser.get(f"/login?scope={'+'.join(second)}")

    assert len(" ".join(first)) < MAX_MORE_SCOPES_CHARACTERS < len(" ".join(first + second))
    assert asked.status_code == 303
    assert set(second) <= set(parameter(asked.headers["location"], "scope").split())


@pytest.mark.check("A16")
@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_another_site_cannot_press_the_button(scene: Scene, origin: str) -> None:
    browser = scene.signed_in()
    session_id = browser.session_id
    headers = {"origin": origin, "sec-fetch-site": "cross-site"}

    answer = browser.post("/login", {"return_to": "/"}, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert browser.session_id == session_id
    assert is_signed_in(browser)


@pytest.mark.check("A16")
@pytest.mark.parametrize(
    ("fetched", "status"),
    [
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
        ({"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 204),
        ({"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 204),
        ({"sec-purpose": "prefetch"}, 204),
    ],
    ids=["link of another site", "image", "frame", "prefetch"],
)
def test_a_link_begins_nothing_unless_its_person_follows_it_here(
    scene: Scene, fetched: dict[str, str], status: int
) -> None:
    browser = scene.signed_in()

    answer = browser.get("/login", headers=fetched)

    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    assert is_signed_in(browser)
