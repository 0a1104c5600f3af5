"""Where a sign-in leads: a path of this application, or its home page."""

from urllib.parse import urljoin, urlsplit

import pytest
from journeys.acts import callback, offered_return_to, parameter
from scene import Scene

GOOD = (
    "/listrooms",
    "/listrooms?filter=a%20b&x=%2F%2Fevil",
    "/a/b/c;d=e",
    "/listrooms?next=https://webex.com/?a=b",
)
BAD = (
    "",
    "//evil.example",
    "/\\evil.example",
    "/%252Fevil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/\r\nSet-Cookie: a=b",
    "https://localhost@evil.example",
    "javascript:alert(1)",
    "/listrooms#fragment",
    "/" + "a" * 3_000,
)
"""One of each kind; `unit/flows/test_return_to.py` judges many more."""

ACTING = (
    "/login",
    "/login?return_to=/login",
    "/login/",
    "/./login",
    "/a/../login",
    "/a/%2e%2e/login",
    "/%6cogin",
    "/%256cogin",
    "/logout",
    "/oauth",
    "/oauth?code=x&state=y",
    "/sessions/end",
    "/disconnect",
)


@pytest.mark.check("A13")
@pytest.mark.parametrize("return_to", GOOD)
def test_a_good_return_to_is_where_the_sign_in_leads(scene: Scene, return_to: str) -> None:
    answer = scene.browser().sign_in(return_to=return_to)

    assert answer.status_code == 303
    assert answer.headers["location"] == return_to


@pytest.mark.bound("return-to of a sign-in")
@pytest.mark.check("A13", "E11")
@pytest.mark.parametrize("return_to", BAD, ids=ascii)
def test_a_bad_return_to_leads_home_and_blocks_nobody(scene: Scene, return_to: str) -> None:
    answer = scene.browser().sign_in(return_to=return_to)

    assert answer.status_code == 303
    target = urlsplit(urljoin(scene.origin, answer.headers["location"]))
    assert f"{target.scheme}://{target.netloc}" == scene.origin
    assert answer.headers["location"] == "/"
    assert [cookie.name for cookie in answer.cookies] == [scene.session_cookie]


@pytest.mark.check("A13")
@pytest.mark.parametrize("return_to", ACTING)
def test_no_sign_in_leads_to_a_page_that_does_something(scene: Scene, return_to: str) -> None:
    browser = scene.browser()

    assert browser.sign_in(return_to=return_to).headers["location"] == "/"

    started = scene.browser().get("/login", params={"return_to": return_to})
    assert started.status_code == 303


@pytest.mark.check("A13")
@pytest.mark.parametrize("path", ["/logout", "/disconnect", "/sessions/end"])
def test_a_page_that_does_something_offers_no_way_back_to_itself(scene: Scene, path: str) -> None:
    answer = scene.browser().get(path)

    assert f'value="{path}"' not in answer.text


@pytest.mark.check("A13")
@pytest.mark.parametrize("return_to", ["//evil.example", "/\\evil.example", "/%2f%2fevil.example"])
def test_a_plain_link_to_sign_in_is_held_to_the_same_rule(scene: Scene, return_to: str) -> None:
    browser = scene.browser()

    started = browser.get("/login", params={"return_to": return_to})

    assert started.status_code == 303
    refused = browser.follow(
        callback(
            scene, error="access_denied", state=parameter(started.headers["location"], "state")
        )
    )
    assert offered_return_to(refused) == "/"


@pytest.mark.check("A13")
def test_a_refused_sign_in_still_leads_where_it_was_going(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start("/listrooms?filter=a"), decision="decline")

    answer = browser.follow(url)

    assert answer.status_code == 403
    assert offered_return_to(answer) == "/listrooms?filter=a"
