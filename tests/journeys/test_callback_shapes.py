"""Whatever shape a callback has: an honest status, no token request, nothing used up."""

import pytest
from hypothesis import given, settings, strategies as st
from journeys.acts import callback, parameter, run_inside, token_requests
from journeys.asgi import ask
from scene import Scene

NAMES = ("code", "state", "error", "error_description", "error_uri", "iss", "Code", "x", "")
VALUES = (
    b"",
    b"abc",
    b"%FF%FE",
    b"\xff\xfe",
    b"%00",
    b"%",
    b"%zz",
    b"a+b",
    b"%0d%0aSet-Cookie:%20a=b",
    b"%E2%80%AE",
    b"a" * 3_000,
    b"\xed\xa0\x80",
    b"[]",
    b"{}",
)
FIELDS = st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.binary(max_size=20))
SHAPES = (
    "code={code}&code={code}&state={state}",
    "code={code}&state={state}&state={state}",
    "code={code}&state={state}&error=access_denied",
    "code={code}&state={state}&iss=a&iss=b",
    "code={code}&error=&error=&state={state}",
    "code=&state={state}",
    "state={state}",
    "code={code}",
    "code={code}&state=",
    "code=%FF&state={state}",
    "code={code}%00&state={state}",
    "code={code}%0d%0a&state={state}",
    "error=%22quoted%22&state={state}",
    "code[]={code}&state[]={state}",
    "Code={code}&State={state}",
    "{code}&{state}",
    "?code={code}&state={state}",
)


@pytest.mark.check("A11", "I07")
@settings(max_examples=300, deadline=None)
@given(fields=st.lists(FIELDS, max_size=8), separator=st.sampled_from([b"&", b";", b"&&"]))
def test_no_callback_breaks_the_application(
    stage: Scene, fields: list[tuple[str, bytes]], separator: bytes
) -> None:
    query = separator.join(name.encode() + b"=" + value for name, value in fields)
    before = token_requests(stage)

    answer = run_inside(stage, ask(stage.application, stage.host, query))

    assert answer.status in {400, 414}
    assert b"set-cookie" not in answer.headers
    assert b"location" not in answer.headers
    assert token_requests(stage) == before


@pytest.mark.check("A11")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_malformed_callback_does_not_use_up_the_attempt(scene: Scene, shape: str) -> None:
    browser = scene.browser()
    good = browser.consent(browser.start())
    query = shape.format(code=parameter(good, "code"), state=parameter(good, "state"))

    answer = browser.get(f"/oauth?{query}")

    assert answer.status_code == 400
    assert token_requests(scene) == 0
    assert browser.follow(good).status_code == 303


@pytest.mark.check("A11")
@pytest.mark.parametrize(
    ("filler", "statuses"),
    [
        ("&x=" + "a" * 20_000, {414, 431}),
        ("&a=" + "b" * 3_000, {303}),
        ("".join(f"&p{number}=" for number in range(1_000)), {303, 400}),
    ],
    ids=["20 KB", "3 KB", "1,000 parameters"],
)
def test_a_very_long_callback_is_answered_honestly(
    scene: Scene, filler: str, statuses: set[int]
) -> None:
    browser = scene.browser()
    good = browser.consent(browser.start())

    answer = browser.follow(good + filler)

    assert answer.status_code in statuses


@pytest.mark.check("A11")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_get_completes_a_sign_in(scene: Scene, method: str) -> None:
    browser = scene.browser()
    good = browser.consent(browser.start())

    answer = browser.http.request(method, good, allow_redirects=False, timeout=30)

    assert answer.status_code == 405
    assert token_requests(scene) == 0
    assert browser.follow(good).status_code == 303


@pytest.mark.check("A11")
def test_a_head_request_spends_nothing(scene: Scene) -> None:
    browser = scene.browser()
    good = browser.consent(browser.start())

    answer = browser.http.head(good, allow_redirects=False, timeout=30)

    assert answer.status_code == 204
    assert token_requests(scene) == 0
    assert browser.follow(good).status_code == 303


@pytest.mark.check("A11")
def test_an_empty_callback_offers_a_new_start(scene: Scene) -> None:
    answers = [scene.browser().get(path) for path in ("/oauth", "/oauth?")]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert all("Sign in again" in answer.text for answer in answers)


@pytest.mark.check("A11")
def test_a_body_is_never_read_for_a_callback(scene: Scene) -> None:
    browser = scene.browser()
    good = browser.consent(browser.start())
    fields = {"code": parameter(good, "code"), "state": parameter(good, "state")}

    answer = browser.http.get(callback(scene), data=fields, allow_redirects=False, timeout=30)

    assert answer.status_code == 400
    assert token_requests(scene) == 0
