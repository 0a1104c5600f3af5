"""What the README shows does what it says."""

import asyncio
from pathlib import Path
from typing import Any

import requests
from edges.documents import examples
from scene import Scene

from webex_oauth.secret import Secret


def test_the_readme_greets_a_person_and_gives_their_token(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    (example,) = (one for one in examples("README.md") if one.language == "python")
    exec(example.text, names)  # noqa: S102 - the README is ours
    with Scene(tmp_path) as scene:
        session_id = Secret(scene.signed_in().session_id)
        finding = scene.integration.sessions.find(session_id)
        session = asyncio.run_coroutine_threadsafe(finding, scene.loop).result(5)
        assert session is not None

        greeting = asyncio.run(names["greet"](scene.settings, session.grant_key))
        token = asyncio.run(names["token_for_an_sdk"](scene.settings, session.grant_key))

        me = f"{scene.emulator.origin}/v1/people/me"
        asked = requests.get(me, headers={"authorization": f"Bearer {token}"}, timeout=30)

    assert greeting == "Hello, Mira Ito"
    assert asked.json()["displayName"] == "Mira Ito"
