"""Rendering: forms may lead to the application's origin and nowhere else."""

import pytest

from webex_oauth.emulator.pages.rendering import Pages
from webex_oauth.emulator.pages.views import RefusalPage, SignedOutPage


@pytest.mark.parametrize(
    ("redirect_uri", "targets"),
    [
        ("", "'self'"),
        ("http://localhost:8080/oauth", "'self' http://localhost:8080"),
        ("https://app.example?a", "'self' https://app.example"),
        ("http://[::1]:8080", "'self' http://[::1]:8080"),
        ("aperio://done", "'self' aperio:"),
        ("http://a;script-src/", "'self'"),
        ("http://a script-src", "'self'"),
    ],
)
def test_the_policy_names_the_application_and_nothing_else(redirect_uri: str, targets: str) -> None:
    answer = Pages().answer(SignedOutPage(is_goto_refused=False), form_target=redirect_uri)

    assert answer.headers["Content-Security-Policy"].endswith(f"form-action {targets}")


def test_what_a_page_shows_is_text() -> None:
    page = RefusalPage(error="<b>", description="{{ 7*7 }} <script>", tracking_id='"><i>')

    html = bytes(Pages().answer(page).body).decode()

    assert "&lt;b&gt;" in html
    assert "{{ 7*7 }} &lt;script&gt;" in html
    assert "<i>" not in html
