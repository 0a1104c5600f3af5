"""Who is who: a person is (issuer, subject), and browsers never see each other's people."""

import pytest
from journeys.acts import is_signed_in
from scene import JONAS, MIRA, Scene

from webex_oauth.emulator import Answer

PERSON_PATH = "/v1/people/me"
LUCA = "luca@acme.example"


def body_of_person(subject: str, email: str, name: str) -> str:
    return f'{{"id": "{subject}", "emails": ["{email}"], "displayName": "{name}"}}'


@pytest.mark.check("A18")
@pytest.mark.parametrize(
    ("first", "second"),
    [("same@x.example", "same@x.example"), ("a@b@c", "a@b"), ("a@x.example,b@y.example", "b@y")],
)
def test_people_with_one_e_mail_are_two_people(scene: Scene, first: str, second: str) -> None:
    bodies = [
        body_of_person("id-of-alice", first, "Alice"),
        body_of_person("id-of-bob", second, "Bob"),
    ]
    for number, body in enumerate(bodies):
        scene.emulator.faults.add("GET", PERSON_PATH, Answer(text=body), after=number)

    alice, bob = scene.signed_in(), scene.signed_in(JONAS)

    assert "Alice" in alice.get("/").text
    assert "Bob" in bob.get("/").text
    assert bob.sign_out().status_code == 200
    assert "Alice" in alice.get("/").text


@pytest.mark.check("A18", "D02")
def test_a_second_person_in_the_same_browser_sees_nothing_of_the_first(scene: Scene) -> None:
    browser = scene.signed_in(MIRA)
    old_session = browser.session_id
    browser.webex = type(browser.webex)()

    answer = browser.sign_in(JONAS)

    assert answer.status_code == 303
    assert browser.session_id != old_session
    pages = [browser.get("/"), browser.get("/listrooms")]
    assert "Jonas" in pages[0].text
    assert all("Mira" not in page.text for page in pages)
    assert all(page.headers["cache-control"] == "no-store" for page in pages)
    old = scene.browser()
    old.http.cookies.set(scene.session_cookie, old_session)
    assert not is_signed_in(old)


@pytest.mark.check("A18")
def test_the_first_persons_tokens_are_given_back_when_a_second_takes_the_browser(
    scene: Scene,
) -> None:
    browser = scene.signed_in(MIRA)
    browser.webex = type(browser.webex)()
    browser.sign_in(JONAS)

    scene.settle()

    mira = scene.emulator.world.person_by_email(MIRA)
    assert mira is not None
    assert not scene.emulator.tokens.has_grant(scene.settings.client.client_id, mira, ())


def test_a_second_sign_in_of_one_person_leaves_the_first_browser_signed_in(scene: Scene) -> None:
    first, second = scene.signed_in(MIRA), scene.signed_in(MIRA)

    pages = [first.get("/listrooms"), second.get("/listrooms")]

    assert [page.status_code for page in pages] == [200, 200]
    assert first.session_id != second.session_id


@pytest.mark.check("A17")
def test_without_people_read_the_sign_in_works_and_the_page_names_the_scope(scene: Scene) -> None:
    scene.emulator.change_options(granted_scopes=("spark:rooms_read", "spark:kms"))
    browser = scene.signed_in(LUCA)

    page = browser.get("/")

    assert page.status_code == 200
    assert "spark:people_read" in page.text
    assert "Luca" not in page.text
    assert browser.get("/listrooms").status_code == 200


@pytest.mark.check("A17")
@pytest.mark.parametrize(
    ("members", "heading"),
    [
        ('"firstName": "Kim", "lastName": "Doe", "emails": null', "Kim Doe"),
        ('"displayName": "", "nickName": "Kimmy", "emails": []', "Kimmy"),
        ('"displayName": null, "emails": ["kim@acme.example"]', "kim@acme.example"),
        ('"displayName": "Kim Doe", "timezone": 0, "type": [], "avatar": {}', "Kim Doe"),
    ],
)
def test_a_person_is_called_by_the_best_name_that_webex_has(
    scene: Scene, members: str, heading: str
) -> None:
    scene.emulator.faults.add("GET", PERSON_PATH, Answer(text=f'{{"id": "kim", {members}}}'))

    page = scene.signed_in().get("/").text

    assert f"<h1><bdi>{heading}</bdi></h1>" in page
    assert "not granted" not in page


@pytest.mark.check("A17")
def test_a_person_whom_webex_does_not_name_is_told_so_and_no_scope_is_blamed(scene: Scene) -> None:
    scene.emulator.faults.add("GET", PERSON_PATH, Answer(text='{"id": "kim"}'))
    browser = scene.signed_in()

    page = browser.get("/").text

    assert "Webex did not give this application your name." in page
    assert "not granted" not in page
    assert browser.get("/sessions").status_code == 200


ODD_ROOMS = """{"items": [
    {"id": "a", "title": "Launch", "type": "direct", "lastActivity": "2026-03-02T10:05:01.337Z"},
    null, "room", {"title": "without an id"},
    {"id": "b", "title": null, "type": 7, "lastActivity": {}, "isLocked": "no", "created": []},
    {"id": "c", "title": "cipher", "errors": {"title": {"code": "kms_failure"}}}]}"""


def test_what_cannot_be_read_of_a_list_is_counted_and_the_rest_is_shown(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.emulator.faults.add("GET", "/v1/rooms", Answer(text=ODD_ROOMS))

    page = scene.signed_in().get("/listrooms")

    assert page.status_code == 200
    assert all(title in page.text for title in ("Launch", "No title", "could not decrypt"))
    assert "cipher" not in page.text
    assert "3 spaces in all" in page.text
    assert "3 more spaces are not shown" in page.text
    (event,) = [one for one in caplog.records if "could not be read" in one.getMessage()]
    assert event.getMessage() == "3 spaces that Webex listed could not be read"


@pytest.mark.check("A17")
def test_two_people_without_names_do_not_share_a_grant(scene: Scene) -> None:
    scene.emulator.change_options(granted_scopes=("spark:rooms_read", "spark:kms"))
    luca, mira = scene.signed_in(LUCA), scene.signed_in(MIRA)

    luca.sign_out()

    assert mira.get("/listrooms").status_code == 200


@pytest.mark.check("A17")
def test_a_scope_that_was_not_granted_is_explained_where_it_is_missed(scene: Scene) -> None:
    scene.emulator.change_options(granted_scopes=("spark:people_read",))
    browser = scene.signed_in(LUCA)

    page, spaces = browser.get("/"), browser.get("/listrooms")

    assert "Luca" in page.text
    assert spaces.status_code == 403
    assert "spark:rooms_read" in spaces.text
    assert is_signed_in(browser)


@pytest.mark.check("D11", "E07")
@pytest.mark.parametrize(
    "avatar",
    [
        "https://images.example/face.png",
        "https://webexcontent.com/face.png",
        "https://avatar.webexcontent.com.evil.example/face.png",
        "https://avatar.evilwebexcontent.com/face.png",
        "https://avatar.webexcontent.com:8443/face.png",
        "https://other.ssl.cf1.rackcdn.com/face.png",
        "https://[bad/face.png",
        "https://images.example:port/face.png",
        "https://images.example;script-src */face.png",
        "https://images.example 'unsafe-inline'/face.png",
        "https://user@images.example/face.png",
        "http://images.example/face.png",
        "javascript:alert(1)",
        "//images.example/face.png",
    ],
)
def test_a_picture_that_webex_does_not_keep_is_not_shown(scene: Scene, avatar: str) -> None:
    person = Answer(text=f'{{"id": "a", "displayName": "Alice", "avatar": "{avatar}"}}')
    scene.emulator.faults.add("GET", PERSON_PATH, person)
    browser = scene.signed_in()

    page = browser.get("/")

    assert page.status_code == 200
    assert "<img" not in page.text
    assert "img-src 'self';" in page.headers["content-security-policy"]


@pytest.mark.check("D11")
@pytest.mark.parametrize(
    "origin",
    [
        "https://avatar-prod-us-east-2.webexcontent.com",
        "https://1efa7a94ed216783e352-c62266528714497a17239ececf39e9e2.ssl.cf1.rackcdn.com",
        "https://files.clouddrive.com",
    ],
)
def test_a_picture_that_webex_keeps_is_shown(scene: Scene, origin: str) -> None:
    avatar = f"{origin}/V1~54c844c8~wx29yGtlTpil==~1600"
    person = Answer(text=f'{{"id": "a", "displayName": "Alice", "avatar": "{avatar}"}}')
    scene.emulator.faults.add("GET", PERSON_PATH, person)

    page = scene.signed_in().get("/")

    assert f'src="{avatar}"' in page.text
    assert f"img-src 'self' {origin};" in page.headers["content-security-policy"]
