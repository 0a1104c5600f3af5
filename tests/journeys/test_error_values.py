"""Errors as values: whatever a tool shows of them, frames and locals included, tells no secret."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from canary import Canaries
from canary_watch import look_at_error
from journeys.acts import TOKEN_PATH, grant_keys, parameter, run_inside
from journeys.hostile_answers import JUNK, WRONG_TOKENS
from journeys.test_api_trouble import ANSWERS
from journeys.test_token_endpoint import BREAKS, REFUSALS
from scene import MIRA, Scene

from webex_oauth.emulator import Action, Answer, Visitor
from webex_oauth.errors import SignInError, WebexOAuthError
from webex_oauth.flows.sign_in import HOME, NotSignedIn
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.webex import people

pytestmark = pytest.mark.check("E02")

TOKEN_TROUBLE: dict[str, Action] = {
    **JUNK,
    **{name: Answer(text=text) for name, text in WRONG_TOKENS.items()},
    **{name: answer for name, (answer, _) in REFUSALS.items()},
    **{name: action for name, (action, _) in BREAKS.items()},
}
API_TROUBLE: dict[str, Action] = {
    **JUNK,
    **{name: action for name, (action, _, _) in ANSWERS.items()},
}


@dataclass(frozen=True, slots=True)
class Watched:
    """A scene with canaries of its own."""

    scene: Scene
    canaries: Canaries


def watched_scene(folder: Path) -> Iterator[Watched]:
    canaries = Canaries()
    with Scene(folder, canaries=canaries) as scene:
        yield Watched(scene, canaries)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    yield from watched_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def watched_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Watch a scene that never got the tokens which some bodies in the tables hold."""
    yield from watched_scene(tmp_path_factory.mktemp("scene"))


def fail_to_sign_in(watched: Watched) -> WebexOAuthError:
    """Sign in through the flow; return the error that it ends with."""
    sign_in = watched.scene.integration.sign_in
    started = sign_in.begin(HOME)
    url = Visitor().sign_in(started.authorization_url, MIRA)
    watched.canaries.plant("code", parameter(url, "code"))
    callback = read_callback(urlsplit(url).query.encode())
    outcome = run_inside(
        watched.scene,
        sign_in.complete(callback, attempt=started.attempt, session_id=None),
    )
    assert isinstance(outcome, NotSignedIn)
    return outcome.error


@pytest.mark.parametrize("name", TOKEN_TROUBLE)
def test_the_error_of_a_token_request_tells_no_secret(watched: Watched, name: str) -> None:
    watched.scene.emulator.faults.clear()
    watched.scene.emulator.faults.add("POST", TOKEN_PATH, TOKEN_TROUBLE[name])

    error = fail_to_sign_in(watched)
    look_at_error(watched.canaries, error)

    assert watched.canaries.leaks() == []


@pytest.mark.parametrize("name", API_TROUBLE)
def test_the_error_of_an_api_call_tells_no_secret(watched_api: Watched, name: str) -> None:
    scene, canaries = watched_api.scene, watched_api.canaries
    scene.emulator.faults.clear()
    scene.signed_in()
    (key,) = grant_keys(scene)
    scene.emulator.faults.add("GET", "/v1/people/me", API_TROUBLE[name], times=None)

    with pytest.raises(WebexOAuthError) as raised:
        run_inside(scene, scene.integration.api(key).call(people.me()))
    look_at_error(canaries, raised.value)

    assert canaries.leaks() == []


@pytest.mark.parametrize(
    "shape",
    [
        "code={code}&code={code}&state={state}",
        "code={code}&state={state}&error=access_denied",
        "code={code}",
        "state={state}",
        "code={code}%00&state={state}",
        "code={code}&state={state}%FF",
    ],
)
def test_the_error_of_a_malformed_callback_tells_no_secret(shape: str) -> None:
    canaries = Canaries()
    code, state = "a-code-of-some-length-0123456789", "the-state-of-an-attempt-0123456789"
    canaries.plant("code", code)
    canaries.plant("state", state)

    with pytest.raises(SignInError) as raised:
        read_callback(shape.format(code=code, state=state).encode())
    look_at_error(canaries, raised.value)

    assert canaries.leaks() == []
