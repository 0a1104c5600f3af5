"""HTTP messages as values."""

from urllib.parse import parse_qsl

from hypothesis import given, strategies as st

from webex_oauth.oauth.http import HttpRequest, HttpResponse, post_form


def test_messages_print_neither_url_nor_headers_nor_body() -> None:
    request = HttpRequest("GET", "https://x/?code=canary", {"authorization": "canary"}, b"canary")
    response = HttpResponse(200, {"set-cookie": "canary"}, b"canary")

    assert repr(request) == "HttpRequest(method='GET')"
    assert repr(response) == "HttpResponse(status=200)"


def test_messages_do_not_share_their_empty_headers() -> None:
    assert HttpResponse(200).headers is not HttpResponse(200).headers


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_a_form_carries_any_text(fields: dict[str, str]) -> None:
    body = post_form("https://x", fields, {}).body.decode("ascii")

    assert dict(parse_qsl(body, keep_blank_values=True)) == fields


def test_a_form_takes_further_headers() -> None:
    headers = post_form("https://x", {}, {"authorization": "Basic eDp5"}).headers

    assert headers.keys() == {"content-type", "accept", "authorization"}
