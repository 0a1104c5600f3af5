"""A person before a browser, who fills in whatever form a server shows."""

from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests
from waiting import LIMIT_SECONDS

MOST_STEPS = 20


class Form(HTMLParser):
    """The first form of a page."""

    def __init__(self, url: str, page: str) -> None:
        super().__init__()
        self.action = url
        self.fields: dict[str, str] = {}
        self._url = url
        self.count = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Take notice of forms and of what can be filled in."""
        values = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.count += 1
            if self.count == 1:
                self.action = urljoin(self._url, values.get("action", ""))
        if tag == "input" and self.count == 1 and "name" in values:
            self.fields[values["name"]] = values.get("value", "")


def allow(authorization_url: str, redirect_uri: str, known: Mapping[str, str]) -> str:
    """Sign in with what is *known*, consent to everything; give the callback, without going there.

    A field is filled in by its name; a button that would refuse is not pressed by name.
    """
    with requests.Session() as browser:
        answer = browser.get(authorization_url, allow_redirects=False, timeout=LIMIT_SECONDS)
        for _ in range(MOST_STEPS):
            target = urljoin(answer.url, answer.headers.get("location", ""))
            if answer.is_redirect and target.startswith(redirect_uri):
                return target
            if answer.is_redirect:
                answer = browser.get(target, allow_redirects=False, timeout=LIMIT_SECONDS)
                continue
            answer = _submit(browser, answer, known)
    raise AssertionError("the sign-in has no end")


def _submit(
    browser: requests.Session, page: requests.Response, known: Mapping[str, str]
) -> requests.Response:
    form = Form(page.url, page.text)
    assert form.count, f"{page.status_code}: {page.text}"
    fields = {name: known.get(name, value) for name, value in form.fields.items()}
    return browser.post(form.action, fields, allow_redirects=False, timeout=LIMIT_SECONDS)
