"""What the doors to every framework answer, without a framework."""

import json
from collections.abc import Mapping

import pytest

from webex_oauth.errors import (
    GrantNotFound,
    MissingScope,
    RateLimited,
    ReauthRequired,
    ResourceNotFound,
    StoreUnavailable,
    WebexOAuthError,
)
from webex_oauth.flows.failures import FAILURES
from webex_oauth.frameworks.answers import FrontDoor
from webex_oauth.frameworks.asked import Asked
from webex_oauth.secret import Secret
from webex_oauth.settings import Settings

ORIGIN = "https://app.example"
BROWSER = {"accept": "text/html,*/*;q=0.8"}
SETTINGS = Settings(
    client_id="C1",
    client_secret=Secret("a-secret-of-enough-length"),
    redirect_uri=f"{ORIGIN}/webex/callback",
    scopes=["spark:people_read"],
)
DOOR = FrontDoor(SETTINGS, "/login", "/logout")
MISSING = MissingScope(["spark:rooms_read", "a&b"], "id-of-luca")


def asked(
    target: str = "/here?a=1&b=/x", method: str = "GET", headers: Mapping[str, str] = BROWSER
) -> Asked:
    return Asked(method, target, headers)


@pytest.mark.parametrize("error", [GrantNotFound("nobody"), ReauthRequired("grant_ended")])
def test_a_page_visit_is_sent_to_the_sign_in_and_back(error: WebexOAuthError) -> None:
    answer = DOOR.refusal(asked(), error, "r1")

    assert answer.status == 303
    assert answer.headers["location"] == "/login?return_to=%2Fhere%3Fa%3D1%26b%3D%2Fx"
    assert answer.headers["cache-control"] == "no-store"


def test_a_missing_scope_is_asked_for() -> None:
    location = DOOR.refusal(asked("/"), MISSING, "r1").headers["location"]

    assert location == "/login?return_to=%2F&scope=spark%3Arooms_read+a%26b"


@pytest.mark.check("E06")
@pytest.mark.parametrize(
    ("error", "status"), [(GrantNotFound("x"), 401), (ReauthRequired("x"), 401), (MISSING, 403)]
)
@pytest.mark.parametrize(
    "request_",
    [
        asked(headers={}),
        asked(headers={"accept": "application/json"}),
        asked(method="POST"),
        asked(headers=BROWSER | {"sec-fetch-mode": "cors"}),
    ],
    ids=["curl", "json", "post", "fetch"],
)
def test_a_program_is_told_what_is_missing_and_where_to_sign_in(
    request_: Asked, error: WebexOAuthError, status: int
) -> None:
    answer = DOOR.refusal(request_, error, "r1")

    problem = json.loads(answer.body)
    assert (answer.status, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["error"] == type(error).__name__
    assert problem["remedy"] == error.remedy
    assert problem["sign_in_url"].startswith(f"{ORIGIN}/login?return_to=%2F")
    assert problem["instance"].endswith("r1")


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        (f"{ORIGIN}/rooms?x=1", "%2Frooms%3Fx%3D1"),
        ("https://app.example.evil/rooms", "%2F"),
        ("https://evil/rooms", "%2F"),
        ("//evil/rooms", "%2F"),
    ],
)
def test_a_program_in_a_page_leads_back_to_that_page(referer: str, back: str) -> None:
    answer = DOOR.refusal(asked(headers={"referer": referer}), GrantNotFound("x"), "r1")

    assert json.loads(answer.body)["sign_in_url"] == f"{ORIGIN}/login?return_to={back}"


@pytest.mark.parametrize(
    ("error", "seconds"), [(StoreUnavailable("down"), "5"), (RateLimited(17), "17")]
)
@pytest.mark.parametrize("headers", [{}, BROWSER])
def test_what_passes_is_503_and_says_when_to_come_back(
    error: WebexOAuthError, seconds: str, headers: Mapping[str, str]
) -> None:
    answer = DOOR.refusal(asked(headers=headers), error, "r1")

    assert (answer.status, answer.headers["retry-after"]) == (503, seconds)


def test_a_refusal_of_webex_keeps_its_status() -> None:
    answer = DOOR.refusal(asked(headers={}), ResourceNotFound(404, "no such room"), "r1")

    assert answer.status == 404
    assert "sign_in_url" not in json.loads(answer.body)


@pytest.mark.check("A13")
@pytest.mark.parametrize(
    "text",
    ["//evil", "/\\evil", "https://evil", "/%2f%2fevil", "/x\r\ny", "/login", "/login?a", "/logout",
     "/webex/callback?code=1", "/a/../login", "/%6cogin", None, "", "x"],
)  # fmt: skip
def test_a_sign_in_leads_home_rather_than_elsewhere_or_to_an_action(text: str | None) -> None:
    assert DOOR.return_to(asked(), text) == "/"


def test_a_failure_offers_a_new_sign_in_as_a_page_that_runs_nothing() -> None:
    failure = FAILURES["scope-missing"]

    answer = DOOR.failed_sign_in(asked(), failure, "r<1>", '/a?"><script>', scopes=["<b>"])

    html = answer.body.decode()
    assert answer.status == 403
    assert "<script>" not in html and "<b>" not in html  # noqa: PT018 - one property
    assert 'method="post" action="/login?return_to=%2Fa%3F%22%3E%3Cscript%3E&amp;scope=' in html
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_failed_sign_in_is_a_problem_for_a_program() -> None:
    answer = DOOR.failed_sign_in(
        asked(headers={"accept": "application/json"}), FAILURES["declined"], "r1", "/"
    )

    assert (answer.status, json.loads(answer.body)["type"]) == (403, "urn:webex-oauth:declined")


@pytest.mark.check("D09")
@pytest.mark.parametrize(
    ("headers", "is_forged"),
    [
        ({}, False),
        ({"origin": ORIGIN}, False),
        ({"origin": "https://evil"}, True),
        ({"origin": f"{ORIGIN}.evil"}, True),
        ({"origin": "null"}, True),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site", "origin": ORIGIN}, True),
    ],
)
def test_a_change_that_another_site_sends_is_forged(
    headers: Mapping[str, str],
    is_forged: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    assert DOOR.is_forged(asked(method="POST", headers=headers)) is is_forged
    assert DOOR.is_forged(asked(headers=headers)) is False


@pytest.mark.parametrize(
    ("end", "host", "location"),
    [
        (":8080", "127.0.0.1:8080", "http://localhost:8080/login?return_to=%2Fx"),
        (":8080", "[::1]:8080", "http://localhost:8080/login?return_to=%2Fx"),
        ("", "127.0.0.1", "http://localhost/login?return_to=%2Fx"),
        (":8080", "localhost:8080", None),
        ("", "localhost", None),
        ("", "localhost:80", None),
        (":8080", "127.0.0.1:9000", None),  # a proxy on this machine may name what it connects to
        (":8080", "app.example:8080", None),
        (":8080", "[::1:8080", None),
        (":8080", "", None),
    ],
)
def test_a_sign_in_at_another_name_of_this_machine_begins_where_its_cookie_will_be_sent(
    end: str, host: str, location: str | None
) -> None:
    local = Settings(
        client_id="C1",
        client_secret=Secret("a-secret-of-enough-length"),
        redirect_uri=f"http://localhost{end}/oauth",
        scopes=["spark:people_read"],
    )
    request = asked("/login?return_to=%2Fx", headers=BROWSER | {"host": host})

    answer = FrontDoor(local, "/login", "/logout").before_sign_in(request, "/x", [])

    assert (answer and answer.headers["location"]) == location
