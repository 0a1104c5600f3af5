"""Three people in four browsers, any order of steps: every page is its own person's."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from scene import MIRA, Browser, Scene

BROWSERS = st.integers(0, 3)
SPACES = {
    "Mira Ito": "250 spaces in all",
    "Luca Moretti": "3 spaces in all",
    "Amara Okafor": "You are not in any space yet",
}
EMAILS = {
    "Mira Ito": MIRA,
    "Luca Moretti": "luca@acme.example",
    "Amara Okafor": "amara@acme.example",
}
NAME = re.compile(r'<nav aria-label="Main">\s*<a href="/"[^>]*><bdi>(.*?)</bdi>')


class Pages(RuleBasedStateMachine):
    """Use every page, and know whose it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.scene = Scene(Path(self.folder.name)).__enter__()
        self.browsers = [self.scene.browser() for _ in range(4)]
        self.owners: list[str | None] = [None] * 4

    def teardown(self) -> None:
        self.scene.__exit__(None, None, None)
        self.folder.cleanup()

    @rule(number=BROWSERS, name=st.sampled_from(sorted(EMAILS)))
    def sign_in(self, number: int, name: str) -> None:
        browser = self.browsers[number]
        browser.webex = type(browser.webex)()
        assert browser.sign_in(EMAILS[name]).status_code == 303
        self.owners[number] = name

    @rule(number=BROWSERS, path=st.sampled_from(["/", "/listrooms", "/sessions", "/disconnect"]))
    def look(self, number: int, path: str) -> None:
        page, owner = self.browsers[number].get(path), self.owners[number]
        if owner is None:
            assert page.status_code == (200 if path == "/" else 401)
            assert not NAME.search(page.text)
            return
        assert page.status_code == 200
        # The page that asks whether to disconnect leads nowhere else, and names nobody.
        assert NAME.findall(page.text) == ([] if path == "/disconnect" else [owner])
        assert not [other for other in EMAILS if other != owner and other in page.text]
        if path == "/listrooms":
            assert [name for name, said in SPACES.items() if said in page.text] == [owner]
        if path == "/sessions":
            others = page.text.count('name="session"')
            assert others == self.owners.count(owner) - 1

    @rule(number=BROWSERS)
    def leave(self, number: int) -> None:
        self._post(number, "/logout")
        self.owners[number] = None

    @rule(number=BROWSERS)
    def end_all_others(self, number: int) -> None:
        owner = self.owners[number]
        self._post(number, "/sessions/end", others="all")
        for other, owned_by in enumerate(self.owners):
            if owner is not None and other != number and owned_by == owner:
                self.owners[other] = None

    @rule(number=BROWSERS)
    def disconnect(self, number: int) -> None:
        owner = self.owners[number]
        self._post(number, "/disconnect")
        self.owners = [None if owned_by == owner else owned_by for owned_by in self.owners]

    @rule(number=BROWSERS, victim=BROWSERS)
    def try_the_button_of_another(self, number: int, victim: int) -> None:
        if self.owners[number] == self.owners[victim]:
            return
        handles = re.findall(r'name="session" value="(\w+)"', self._sessions(victim))
        for handle in handles:
            self._post(number, "/sessions/end", session=handle)

    def _sessions(self, number: int) -> str:
        return self.browsers[number].get("/sessions").text

    def _post(self, number: int, path: str, **fields: str) -> None:
        browser: Browser = self.browsers[number]
        is_signed_in = self.owners[number] is not None
        answer = browser.post(path, {"csrf_token": browser.csrf_token()} | fields)
        assert answer.status_code in ({200, 303} if is_signed_in else {401})


Pages.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestPages = pytest.mark.check("F07")(Pages.TestCase)
