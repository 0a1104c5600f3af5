"""The examples of the documents, and a reader who runs them from top to bottom."""

import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from architecture.sources import ROOT

FENCE = re.compile(
    r"^(?:<!-- (?P<reason>not run: \S.+|examples/\S+) -->\n)?"
    r"```(?P<language>.*)\n(?P<text>(?:.*\n)*?)```$",
    re.MULTILINE,
)
DOCUMENTS = [
    path.relative_to(ROOT).as_posix()
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
]
SHELL = ("bash", "-euo", "pipefail", "-c")
PYTHON = (sys.executable, "-W", "error", "-c")
RUN = {"sh": SHELL, "python": PYTHON}
SHOWN = frozenset({"text", "ini", "mermaid", "haproxy", "nginx", "diff", "html"})
SERVES = "Ctrl-C"
INTERRUPTED = {0, -signal.SIGINT, 128 + signal.SIGINT, 2}
LIMIT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Example:
    """One fenced block of a document."""

    place: str
    language: str
    text: str
    reason_not_to_run: str | None

    @property
    def is_run(self) -> bool:
        """Whether it runs as it stands; a file of examples/ has a test of its own."""
        return self.language in RUN and self.reason_not_to_run is None


def examples(document: str) -> list[Example]:
    """Return the fenced blocks of a document, in its order."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = [
        Example(
            f"{document}:{text.count(chr(10), 0, fence.start('language')) + 1}",
            fence["language"],
            fence["text"],
            fence["reason"],
        )
        for fence in FENCE.finditer(text)
    ]
    assert len(found) * 2 == len(re.findall(r"^\s*```", text, re.MULTILINE)), document
    return found


def run(example: Example, folder: Path, environment: dict[str, str]) -> None:
    """Run an example in *folder*; interrupt it once it serves."""
    with subprocess.Popen(
        [*RUN[example.language], example.text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        limit = threading.Timer(LIMIT_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        limit.start()
        said, is_serving = "", False
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if SERVES in line:
                is_serving = True
                os.killpg(process.pid, signal.SIGINT)
        exit_code = process.wait()
        limit.cancel()

    assert exit_code in (INTERRUPTED if is_serving else {0}), f"{example.place}\n{said}"
    assert "Traceback" not in said, f"{example.place}\n{said}"
