"""Three people, any order of steps: nobody is ever given anything of another."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from ledgers import grants
from unit.flows.fixtures import ABSOLUTE_SECONDS, IDLE_SECONDS, FlowFixture
from unit.flows.strict_webex import StrictWebex

from webex_oauth.flows.housekeeping import EVERYTHING
from webex_oauth.flows.revocation import HEAD_START_SECONDS
from webex_oauth.flows.sessions import LiveSession
from webex_oauth.flows.sign_in import HOME, SignedIn
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.secret import Secret
from webex_oauth.vault.upkeep import Upkeep
from webex_oauth.webex import people

PEOPLE = ("alice", "bob", "carol")
BROWSERS = st.integers(0, 4)
TOUCH_SECONDS = 60


@dataclass
class Held:
    """What a browser should be: signed in as *owner* since then, seen then."""

    session_id: Secret
    owner: str
    created_at: int
    seen_at: int


class Owners(RuleBasedStateMachine):
    """Drive the flows, and know what should come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.webex = StrictWebex(lambda: self.fixture.now)
        self.fixture = FlowFixture(transport=self.webex)
        self.browsers: dict[int, Held] = {}

    def teardown(self) -> None:
        self.runner.run(self.fixture.vault.close(1))
        self.runner.close()

    @rule(browser=BROWSERS, owner=st.sampled_from(PEOPLE))
    def sign_in(self, browser: int, owner: str) -> None:
        held = self.browsers.get(browser)
        session_id = self.runner.run(self._sign_in(owner, held.session_id if held else None))
        now = self.fixture.now
        self.browsers[browser] = Held(session_id, owner, now, now)

    async def _sign_in(self, owner: str, session_id: Secret | None) -> Secret:
        started = self.fixture.sign_in.begin(HOME)
        state = started.authorization_url.partition("&state=")[2].partition("&")[0]
        outcome = await self.fixture.sign_in.complete(
            read_callback(f"code={owner}&state={state}".encode()),
            attempt=started.attempt,
            session_id=session_id,
            browser=f"{owner}'s browser",
        )
        assert isinstance(outcome, SignedIn), outcome
        assert outcome.session_id
        return outcome.session_id

    @rule(browser=BROWSERS)
    def call_webex(self, browser: int) -> None:
        session, held = self._find(browser)
        if session is None or held is None:
            return
        person = self.runner.run(self.fixture.api(session.grant_key).call(people.me()))
        assert person.display_name == held.owner

    @rule(browser=BROWSERS)
    def list_sessions(self, browser: int) -> None:
        session, held = self._find(browser)
        if session is None or held is None:
            return
        listed = self.runner.run(self.fixture.sessions.of_person(session))
        assert {one.browser for one in listed} == {f"{held.owner}'s browser"}
        assert len(listed) == len(self._live_of(held.owner))

    @rule(browser=BROWSERS)
    def sign_out(self, browser: int) -> None:
        session, _ = self._find(browser)
        if session is not None:
            self.runner.run(self.fixture.sessions.sign_out(session.session_id))
            del self.browsers[browser]

    @rule(browser=BROWSERS, number=st.integers(0, 4))
    def end_one_other(self, browser: int, number: int) -> None:
        session, _ = self._find(browser)
        if session is None:
            return
        listed = self.runner.run(self.fixture.sessions.of_person(session))
        other = listed[number % len(listed)]
        ended = self.runner.run(self.fixture.sessions.end(session, other.handle))
        assert ended is not other.is_this
        self._forget_those_that_are_gone(browser, at_most=1)

    @rule(browser=BROWSERS)
    def end_all_others(self, browser: int) -> None:
        session, held = self._find(browser)
        if session is None or held is None:
            return
        self.runner.run(self.fixture.sessions.end_others(session))
        for other in self._live_of(held.owner):
            if other != browser:
                del self.browsers[other]

    @rule(browser=BROWSERS)
    def disconnect(self, browser: int) -> None:
        session, held = self._find(browser)
        if session is None or held is None:
            return
        self.runner.run(self.fixture.sessions.disconnect(session.grant_key))
        for other in self._live_of(held.owner):
            del self.browsers[other]

    @rule(seconds=st.integers(1, IDLE_SECONDS))
    def wait(self, seconds: int) -> None:
        self.fixture.now += seconds

    @rule()
    def deliver_and_sweep(self) -> None:
        fixture = self.fixture
        fixture.now += HEAD_START_SECONDS
        self.runner.run(fixture.revocations.deliver_handed_over())
        self.runner.run(fixture.revocations.deliver_due())
        self.runner.run(Upkeep(fixture.ledger).sweep(fixture.now, EVERYTHING))
        self._check_every_family_is_kept()

    @invariant()
    def nothing_is_presented_twice(self) -> None:
        assert self.webex.replays == 0

    def _check_every_family_is_kept(self) -> None:
        """Every grant that lives at Webex is kept here, under its owner's name."""
        kept = {
            self.webex.family_by_refresh[grant.tokens.refresh_token.reveal()]: grant.subject
            for grant in self.runner.run(grants(self.fixture.ledger))
            if grant.tokens.refresh_token is not None
        }
        living = {family: f"id-of-{who}" for family, who in self.webex.owner_by_family.items()}
        assert kept == living

    def _find(self, browser: int) -> tuple[LiveSession | None, Held | None]:
        """Find the session of *browser*: there exactly when it should be, and its owner's."""
        held = self.browsers.get(browser)
        if held is None:
            return None, None
        session = self.runner.run(self.fixture.sessions.find(held.session_id))
        assert (session is not None) is self._is_live(held)
        if session is not None:
            assert session.profile.display_name == held.owner
            if self.fixture.now - held.seen_at >= TOUCH_SECONDS:
                held.seen_at = self.fixture.now
        return session, held

    def _is_live(self, held: Held) -> bool:
        now = self.fixture.now
        return now < held.created_at + ABSOLUTE_SECONDS and now < held.seen_at + IDLE_SECONDS

    def _live_of(self, owner: str) -> list[int]:
        return [
            browser
            for browser, held in self.browsers.items()
            if held.owner == owner and self._is_live(held)
        ]

    def _forget_those_that_are_gone(self, this: int, *, at_most: int) -> None:
        """Ask which sessions are over that should not be; they are this one's owner's."""
        gone = [
            browser
            for browser, held in self.browsers.items()
            if self._is_live(held)
            and self.runner.run(self.fixture.sessions.find(held.session_id)) is None
        ]
        assert len(gone) <= at_most
        for browser in gone:
            assert self.browsers[browser].owner == self.browsers[this].owner
            del self.browsers[browser]
        for held in self.browsers.values():
            if self._is_live(held) and self.fixture.now - held.seen_at >= TOUCH_SECONDS:
                held.seen_at = self.fixture.now


Owners.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestOwners = pytest.mark.check("F07", "D07", "B12")(Owners.TestCase)
