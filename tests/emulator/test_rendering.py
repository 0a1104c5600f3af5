"""Rendering: what a page shows is text."""

from webex_oauth.emulator.endpoints.pages import page


def test_what_a_page_shows_is_text() -> None:
    answer = page("refusal", error="<b>", description="{{ 7*7 }} <script>", tracking_id='"><i>')

    html = bytes(answer.body).decode()
    assert "&lt;b&gt;" in html
    assert "{{ 7*7 }} &lt;script&gt;" in html
    assert "<i>" not in html
