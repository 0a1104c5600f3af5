"""Sign-ins of people by their names."""

from unit.flows.fixtures import PERSON_URL, TOKEN_URL, FlowFixture, answer, issued

from webex_oauth.flows.sessions import LiveSession
from webex_oauth.flows.sign_in import HOME, SignedIn, StartedSignIn
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.secret import Secret


def callback_query(started: StartedSignIn) -> bytes:
    """Write the callback that a sign-in waits for."""
    state = started.authorization_url.partition("&state=")[2].partition("&")[0]
    return f"code=the-code&state={state}".encode()


async def sign_in(
    fixture: FlowFixture,
    name: str = "alice",
    *,
    number: int = 1,
    browser: str | None = None,
    session_id: Secret | None = None,
) -> LiveSession:
    """Sign *name* in with the tokens of that *number*; return the session."""
    fixture.webex.script(TOKEN_URL, issued(number))
    fixture.webex.script(PERSON_URL, answer({"id": f"id-of-{name}", "displayName": name}))
    started = fixture.sign_in.begin(HOME)
    outcome = await fixture.sign_in.complete(
        read_callback(callback_query(started)),
        attempt=started.attempt,
        session_id=session_id,
        browser=browser,
    )
    assert isinstance(outcome, SignedIn), outcome
    assert outcome.session_id is not None
    session = await fixture.sessions.find(outcome.session_id)
    assert session is not None
    return session
