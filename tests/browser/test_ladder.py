"""The ladder in a real browser: forms say where they come from, and cookies keep to their site."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.elsewhere import Elsewhere
from browser.steps import MIRA_NAME, accept, choose
from browser.witness import Witness
from learn.attacks import STEPS, App, running

pytestmark = pytest.mark.browser

FIRST, LAST = STEPS[0], STEPS[-1]
GREETING = f"So happy to meet you, {MIRA_NAME}!"


@pytest.fixture
def app(request: pytest.FixtureRequest, witness: Witness) -> Iterator[App]:
    with running(request.param) as app:
        witness.origins |= {app.origin, app.webex.origin, app.webex.broker_origin}
        yield app


@pytest.fixture
def page(context: BrowserContext, app: App) -> Page:
    """Open a page and sign in."""
    page = context.new_page()
    page.goto(app.origin)
    page.get_by_role("link", name="Sign in with Webex").click()
    choose(page, MIRA_NAME)
    accept(page)
    expect(page.get_by_text(GREETING)).to_be_visible()
    return page


@pytest.mark.parametrize("app", [FIRST, LAST], indirect=True, ids=["first", "last"])
def test_a_person_signs_in_and_out(app: App, page: Page) -> None:
    page.get_by_text("Sign out").click()

    expect(page.get_by_role("link", name="Sign in with Webex")).to_be_visible()
    assert page.url == f"{app.origin}/"


@pytest.mark.parametrize("site", ["origin", "cousin"])
@pytest.mark.parametrize("app", [LAST], indirect=True, ids=["last"])
def test_a_page_of_somebody_else_signs_nobody_out(
    app: App, page: Page, elsewhere: Elsewhere, site: str
) -> None:
    action = f"{app.origin}/logout"
    elsewhere.pages["/"] = f'<form method="post" action="{action}"><button>Win</button></form>'
    page.goto(getattr(elsewhere, site))
    page.get_by_role("button", name="Win").click()
    page.goto(app.origin)

    expect(page.get_by_text(GREETING)).to_be_visible()
