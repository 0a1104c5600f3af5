"""The application once more, in a process of its own, on the same database and keys."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from scene import Scene
from waiting import LIMIT_SECONDS

PROGRAM = Path(__file__).parent / "programs" / "serve_beside.py"


@contextmanager
def second_process(scene: Scene) -> Iterator[int]:
    """Run it; return its port. Everything that it logs is looked at."""
    with subprocess.Popen(
        [sys.executable, PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        watch = threading.Thread(target=_look, args=(scene, process.stderr))
        watch.start()
        process.stdin.write(json.dumps(scene.variables) + "\n")
        process.stdin.flush()
        yield int(process.stdout.readline())
        process.stdin.close()
        assert process.wait(LIMIT_SECONDS) == 0
        watch.join(LIMIT_SECONDS)


def _look(scene: Scene, log: IO[str]) -> None:
    for line in log:
        scene.canaries.look_at("log of the second process", line)
