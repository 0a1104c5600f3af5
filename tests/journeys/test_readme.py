"""What the README shows does what it says."""

import asyncio
import re
from pathlib import Path
from types import CodeType

from architecture.sources import ROOT
from scene import Scene

from webex_oauth.secret import Secret
from webex_oauth.web.cookies import SESSION

PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(document: str) -> list[CodeType]:
    """Compile the Python of a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return [compile(block, document, "exec") for block in PYTHON_BLOCK.findall(text)]


def test_the_readme_greets_a_person(tmp_path: Path) -> None:
    (example,) = examples("README.md")
    names: dict[str, object] = {}
    exec(example, names)  # noqa: S102 - the README is ours
    greet = names["greet"]
    assert callable(greet)
    with Scene(tmp_path) as scene:
        session_id = Secret(scene.signed_in().http.cookies[SESSION])
        finding = scene.integration.sessions.find(session_id)
        session = asyncio.run_coroutine_threadsafe(finding, scene.loop).result(5)
        assert session is not None

        greeting = asyncio.run(greet(scene.settings, session.grant_key))

    assert greeting == "Hello, Mira Ito"


def test_the_emulators_example_is_python() -> None:
    assert examples("docs/emulator.md")
