"""Requests that the person did not mean change nothing."""

import pytest
from edges.client import signed_in
from edges.crawler import SAFE_METHODS, addresses
from edges.forgery import EVIL, FORGERY_COUNT, NEEDS_NO_TOKEN, accepted, forgeries, unsafe_routes
from edges.stage import Stage
from scene import JONAS, Scene

from webex_oauth.secret import Secret
from webex_oauth.web.visit import csrf_token


def tokens_of_others(scene: Scene) -> tuple[str, str]:
    """Return the token of another session, and one that an id planted before the sign-in has."""
    other = signed_in(scene, JONAS).csrf_token()
    scene.settle()
    return other, csrf_token(Secret("planted")).reveal()


@pytest.mark.check("D09")
@pytest.mark.parametrize("number", range(FORGERY_COUNT))
def test_no_unsafe_route_takes_a_forgery(number: int, stage: Stage) -> None:
    forgery = list(forgeries(stage.signed_in, *tokens_of_others(stage.scene)))[number]
    journal, changes_before = stage.scene.emulator.journal, stage.store.change_count
    asked_before = journal.count()

    assert accepted(stage.signed_in, forgery) == []

    assert stage.store.change_count == changes_before
    assert journal.count() == asked_before
    assert stage.signed_in.get("/listrooms").status == 200


@pytest.mark.parametrize("origin", ["null", ""])
def test_our_forms_work_in_a_browser_that_tells_no_cause(origin: str, stage: Stage) -> None:
    """Our pages hide their origin, so such a browser says `null` or nothing."""
    person = signed_in(stage.scene, JONAS)
    silent = {"origin": origin, "sec_fetch_site": ""}
    token = {"csrf_token": person.csrf_token()}

    statuses = [
        stage.client().post("/login", {"return_to": "/"}, **silent).status,
        person.post("/login", {"return_to": "/"}, **silent).status,
        person.post("/sessions/end", token | {"others": "1"}, **silent).status,
        person.post("/logout", token, **silent).status,
    ]

    assert statuses == [303, 303, 303, 200]


@pytest.mark.check("D09")
def test_the_only_unsafe_route_without_a_token_begins_a_sign_in(stage: Stage) -> None:
    routes = unsafe_routes(stage.scene)

    assert set(NEEDS_NO_TOKEN) < set(routes)
    assert stage.signed_in.post("/login", {}).status == 303
    assert stage.signed_in.get("/listrooms").status == 200


@pytest.mark.check("D05", "D09")
def test_safe_methods_change_nothing_of_a_session(stage: Stage) -> None:
    targets = [path for path in addresses(stage.signed_in) if path != "/login"]
    changes_before = stage.store.change_count

    for method in SAFE_METHODS:
        for target in targets:
            stage.signed_in.send(method, target)

    assert stage.store.change_count == changes_before
    assert stage.signed_in.get("/listrooms").status == 200


@pytest.mark.check("A16")
def test_a_link_from_another_site_begins_no_sign_in(stage: Stage) -> None:
    changes_before = stage.store.change_count

    answer = stage.signed_in.get("/login", sec_fetch_site="cross-site", sec_fetch_mode="navigate")

    assert answer.status == 200
    assert "<form" in answer.text
    assert stage.store.change_count == changes_before


@pytest.mark.check("A16", "D09")
@pytest.mark.parametrize("mode", ["no-cors", "cors"])
def test_an_image_or_a_script_begins_no_sign_in(mode: str, stage: Stage) -> None:
    answer = stage.signed_in.get("/login", sec_fetch_site="cross-site", sec_fetch_mode=mode)

    assert (answer.status, answer.all("set-cookie")) == (204, [])


@pytest.mark.check("D15")
@pytest.mark.parametrize("origin", [EVIL, "null"])
def test_a_preflight_gets_nothing(origin: str, stage: Stage) -> None:
    for path in stage.scene.pages:
        headers = {"origin": origin, "access-control-request-method": "POST"}

        answer = stage.signed_in.send("OPTIONS", path, headers=headers)

        assert answer.status == 405
        assert not [name for name, _ in answer.headers if name.startswith("access-control")]


@pytest.mark.check("D15")
@pytest.mark.parametrize("origin", [EVIL, "null"])
def test_another_origin_is_never_allowed_to_read(origin: str, stage: Stage) -> None:
    answer = stage.signed_in.get("/listrooms", origin=origin)

    assert origin not in [value for _, value in answer.headers]
    assert not [name for name, _ in answer.headers if name.startswith("access-control")]
