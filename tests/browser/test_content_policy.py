"""The Content-Security-Policy, as Chromium enforces it."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route
from scene import Scene

from browser.elsewhere import Elsewhere
from browser.steps import MIRA_NAME, enter_signed_in, expect_signed_in, sign_in, sign_out
from browser.witness import Witness

pytestmark = [pytest.mark.browser, pytest.mark.check("D11")]

INJECTION = """
<script>window.injected = "inline"</script>
<img src="/nothing.png" onerror="window.injected = 'handler'">
<svg onload="window.injected = 'svg'"></svg>
<iframe srcdoc="<script>parent.injected = 'srcdoc'</script>"></iframe>
<script src="{elsewhere}/foreign.js"></script>
<style>h1 { color: rgb(1, 2, 3) }</style>
<base href="{elsewhere}/">
<form action="{elsewhere}/"><button id="leak">Leak</button></form>
<a id="bait" href="javascript:window.injected = 'url'">bait</a>
"""

ATTEMPTS = """() => {
    const attempts = [
        () => { document.body.innerHTML = "<b>markup</b>"; },
        () => { document.write("<b>markup</b>"); },
        () => { document.createElement("script").text = "window.injected = 1"; },
        () => { new Function("window.injected = 1")(); },
        () => { document.createElement("iframe").srcdoc = "<b>markup</b>"; },
    ];
    const outcome = (attempt) => {
        try { attempt(); return "done"; } catch (error) { return error.name; }
    };
    // Later, because what is evaluated now is free of the page's policy.
    return new Promise((done) => setTimeout(() => done(attempts.map(outcome))));
}"""


def inject(route: Route, markup: str) -> None:
    """Put what a hole in a template would let in before the end of a page."""
    answer = route.fetch()
    body = answer.text().replace("</main>", f"{markup}</main>")
    assert markup in body
    route.fulfill(response=answer, body=body)


def test_the_whole_journey_leaves_the_console_empty(
    page: Page, scene: Scene, witness: Witness
) -> None:
    sign_in(page, scene)
    page.get_by_role("link", name="See your spaces").click()
    page.get_by_label("Filter by title").fill("plan")
    page.get_by_role("button", name="Filter").click()
    page.goto(f"{scene.origin}/logout")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in again").click()
    page.get_by_role("button", name="Accept").click()
    expect_signed_in(page, MIRA_NAME)

    sign_out(page)

    assert witness.complaints() == []


def test_what_is_injected_into_a_page_neither_runs_nor_reaches_out(
    context: BrowserContext, scene: Scene, elsewhere: Elsewhere, witness: Witness
) -> None:
    markup = INJECTION.replace("{elsewhere}", elsewhere.origin)
    page = enter_signed_in(context, scene)
    page.route(f"{scene.origin}/", lambda route: inject(route, markup))

    page.goto(scene.origin)
    page.evaluate("['bait', 'leak'].forEach((id) => document.getElementById(id).click())")

    assert page.evaluate("window.injected") is None
    colour = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert colour != "rgb(1, 2, 3)"
    assert page.evaluate("document.baseURI") == f"{scene.origin}/"
    assert elsewhere.visited_paths == []
    assert len(witness.complaints()) >= len(INJECTION.strip().splitlines())


def test_a_script_cannot_turn_text_into_markup_or_code(page: Page, scene: Scene) -> None:
    page.goto(scene.origin)

    refused = page.evaluate(ATTEMPTS)

    assert refused == ["TypeError", "TypeError", "TypeError", "EvalError", "TypeError"]
