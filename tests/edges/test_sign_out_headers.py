"""What the answer to a sign-out tells the browser to forget."""

import pytest
from edges.client import Client, signed_in
from edges.stage import Stage


@pytest.fixture
def leaver(stage: Stage) -> Client:
    return signed_in(stage.scene)


@pytest.mark.check("D06")
def test_a_sign_out_clears_cache_cookies_and_storage(leaver: Client) -> None:
    answer = leaver.post("/logout", {"csrf_token": leaver.csrf_token()})

    assert answer.status == 200
    assert answer.one("clear-site-data") == '"cache", "cookies", "storage"'


@pytest.mark.check("D06")
def test_a_sign_out_takes_every_cookie_back(leaver: Client) -> None:
    leaver.start()

    leaver.post("/logout", {"csrf_token": leaver.csrf_token()})

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
    for method, path in (("GET", "/logout"), ("POST", "/logout"), ("GET", "/")):
        assert not stage.signed_in.send(method, path).all("clear-site-data")
