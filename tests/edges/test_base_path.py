"""A redirect URI below a path: its folder is the base of every page, link, form and redirect."""

import pytest
from edges.crawler import RULES, crawl, everything_is_below_the_base, violations
from edges.stage import Stage

HOME = "/webex/"


@pytest.mark.check(*RULES)
def test_every_answer_keeps_the_rules_and_leads_nowhere_else(stage_below: Stage) -> None:
    exchanges = crawl({False: stage_below.client(), True: stage_below.signed_in})

    assert {200, 303, 400, 401, 404, 405} <= {one.answer.status for one in exchanges}
    for rule in (everything_is_below_the_base, *RULES.values()):
        assert violations(exchanges, rule, stage_below.scene) == []


def test_every_page_is_below_the_base(stage_below: Stage) -> None:
    assert all(path.startswith(HOME) for path in stage_below.scene.pages.keys() - {"/webex"})
    assert stage_below.client().get("/webex").one("location") == HOME


@pytest.mark.check("A11")
@pytest.mark.parametrize(
    ("return_to", "leads_to"),
    [
        ("/webex/listrooms", "/webex/listrooms"),
        ("/report?a=b", "/report?a=b"),
        ("/webex/logout", HOME),
        ("/webex/oauth", HOME),
        ("/logout", HOME),
        ("//evil.example/webex/", HOME),
    ],
)
def test_a_sign_in_leads_back_within_the_origin_and_home_otherwise(
    return_to: str, leads_to: str, stage_below: Stage
) -> None:
    assert stage_below.client().sign_in(return_to=return_to).one("location") == leads_to


def test_a_sign_in_that_nobody_began_is_offered_from_home(stage_below: Stage) -> None:
    page = stage_below.client().get("/webex/oauth?code=a&state=b").text

    assert f'name="return_to" value="{HOME}"' in page


@pytest.mark.parametrize("page", ["listrooms", "sessions", ""])
def test_a_proxy_may_take_the_base_off(page: str, stage_below: Stage) -> None:
    whole, stripped = (stage_below.signed_in.get(path) for path in (HOME + page, f"/{page}"))

    assert stripped.status == whole.status == 200
    assert stripped.body == whole.body


@pytest.mark.check("H09")
@pytest.mark.parametrize("path", ["/webex/readyz", "/readyz"])
def test_a_load_balancer_may_ask_with_the_base_and_without(path: str, stage_below: Stage) -> None:
    assert stage_below.client().get(path, host="127.0.0.1").body == b"ready\n"


@pytest.mark.check("D06")
def test_a_sign_out_leaves_alone_what_other_applications_of_the_origin_store(
    stage_below: Stage,
) -> None:
    client = stage_below.client()
    client.sign_in()

    answer = client.post("/webex/logout", {"csrf_token": client.csrf_token()})

    assert answer.status == 200
    assert answer.one("clear-site-data") == '"cache"'
