"""Where a sign-in leads: a path of this application, or its home page."""

from urllib.parse import urljoin, urlsplit

import pytest
from journeys.acts import callback, offered_return_to, parameter
from scene import Scene

GOOD = (
    "/",
    "/listrooms",
    "/listrooms?filter=release",
    "/listrooms?filter=a%20b&x=%2F%2Fevil",
    "/index.html?x=1&y=2",
    "/a/b/c;d=e",
    "/listrooms?next=https://webex.com/?a=b",
)
BAD = (
    "",
    " ",
    "listrooms",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/%2Fevil.example",
    "/%2f%2fevil.example",
    "/%5Cevil.example",
    "/%5c%5cevil.example",
    "/%252Fevil.example",
    "/%255Cevil.example",
    "/a//evil.example",
    "/a/%2F/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/\r\nSet-Cookie: a=b",
    "/%00",
    "/\x00",
    "/%20/evil.example",
    " //evil.example",
    "\t//evil.example",
    "\x01//evil.example",
    "/ /evil.example",
    "http://evil.example",
    "https://evil.example/listrooms",
    "HTTPS://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://evil.example/x",
    "mailto:a@evil.example",
    "//evil.example@localhost",
    "//localhost@evil.example",
    "https://localhost@evil.example",
    "//[::1]",
    "//1.1.1.1",
    "//0x7f.1",
    "//evil.example:80",
    "//evil%2eexample",
    "//\u0435vil.example",
    "/\u2215evil.example",
    "/\u3002evil.example",
    "/\uff0fevil.example",
    "/listrooms#fragment",
    "/<script>alert(1)</script>",
    "/'\"><b>",
    "/{{7*7}}|x",
    "/" + "a" * 3_000,
)
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


def test_the_lists_are_as_long_as_they_should_be() -> None:
    assert (len(set(GOOD)), len(set(BAD))) == (7, 64)


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
