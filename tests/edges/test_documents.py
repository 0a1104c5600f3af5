"""What the documents show can be run as it stands, from the top of each to its end."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from architecture.sources import ROOT, project_files
from edges.command import env_text, environment, server, wait_until_listening
from edges.documents import DOCUMENTS, RUN, SHOWN, Example, examples, run
from edges.visiting import sign_in
from services.processes import free_port

from webex_oauth.emulator import RunningEmulator

EXAMPLES = [example for document in DOCUMENTS for example in examples(document)]
RUNNABLE = {
    document: [example for example in examples(document) if example.is_run]
    for document in DOCUMENTS
}
KEYS = """\
k-5f3a9c01 2Zr0Yx1yq3m7bQ0pWcVt8sKJd5uHnF6eLgAaRzTiOkE= 2027-03-02
k-c4e1b7d2 q8XWnC4vZt1oJb7yEwKfUu3rSdPmGh9LxAiQ5jYcTbM= 2026-03-02
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_an_example_says_what_it_is_written_in(example: Example) -> None:
    assert example.language in {*RUN, *SHOWN}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_a_command_is_not_hidden_in_what_is_only_shown(example: Example) -> None:
    lines = example.text.splitlines()
    commands = [line for line in lines if line.startswith(("$ ", "webex-oauth ", "make "))]

    assert example.language in RUN or commands == []


def test_the_examples_in_the_documents_are_those_files() -> None:
    told = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write-examples", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert told.returncode == 0, told.stderr


@pytest.fixture
def readers_folder(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Return the project as it is when it was set up and somebody has signed in."""
    folder, port = tmp_path / "webex-oauth", free_port()
    folder.mkdir()
    for name in {file.relative_to(ROOT).parts[0] for file in project_files()} | {".venv"}:
        (folder / name).symlink_to(ROOT / name)
    keys = folder / ".webex-oauth" / "keys"
    keys.parent.mkdir(0o700)
    keys.touch(0o600)
    keys.write_text(KEYS)
    with RunningEmulator() as running:
        (folder / ".env").write_text(env_text(running.emulator, port))
        with server(folder, "serve", PORT=str(port)) as serving:
            wait_until_listening(port)
            sign_in(port)
            serving.send(signal.SIGTERM)
            serving.end()
        yield (
            folder,
            environment(
                PATH=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
                PORT=str(port),
                EMULATOR_PORT=str(free_port()),
                MAKEFLAGS="-o .venv/app -o .venv/dev",
            ),
        )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("document", [document for document, found in RUNNABLE.items() if found])
def test_the_examples_of_a_document_run_one_after_the_other(
    document: str, readers_folder: tuple[Path, dict[str, str]]
) -> None:
    folder, variables = readers_folder
    for example in RUNNABLE[document]:
        run(example, folder, variables)
