"""What the answer to a sign-out tells the browser to forget."""

import pytest
from edges.client import Client, signed_in
from edges.stage import Stage
from scene import JONAS


@pytest.fixture
def leaver(stage: Stage) -> Client:
    """Sign in as somebody else than the stage's client, whom leaving must not touch."""
    return signed_in(stage.scene, JONAS)


@pytest.mark.check("D06")
@pytest.mark.parametrize("path", ["/logout", "/disconnect"])
def test_a_sign_out_takes_every_cookie_back(leaver: Client, path: str) -> None:
    leaver.start()

    leaver.post(path, {"csrf_token": leaver.csrf_token()})

    assert leaver.cookies == {}


@pytest.mark.check("D05", "D06")
def test_the_page_before_a_sign_out_is_not_to_be_had_after_it(leaver: Client) -> None:
    cookies = dict(leaver.cookies)
    page = leaver.get("/listrooms")
    leaver.post("/logout", {"csrf_token": leaver.csrf_token()})

    again = Client(leaver.scene, cookies).get("/listrooms")

    assert page.one("cache-control") == "no-store"
    assert again.status == 401


@pytest.mark.check("D05", "D06")
def test_nothing_else_clears_site_data(stage: Stage) -> None:
    paths = ("/logout", "/disconnect", "/sessions/end")
    for method, path in ((method, path) for method in ("GET", "POST") for path in paths):
        assert not stage.signed_in.send(method, path).all("clear-site-data")
