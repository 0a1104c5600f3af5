"""What the README shows does what it says."""

import os
import subprocess
import sys
from pathlib import Path

from edges.documents import examples
from scene import Scene


def test_a_script_has_the_token_of_a_person_who_signed_in(tmp_path: Path) -> None:
    _, script, _ = (one.text for one in examples("README.md") if one.language == "python")
    with Scene(tmp_path) as scene:
        scene.signed_in()
        (tmp_path / ".env").touch(0o600)
        (tmp_path / ".env").write_text(
            "".join(f"{name}={value}\n" for name, value in scene.variables.items())
        )

        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.stderr == ""
    assert done.stdout.startswith("Hello, Mira Ito. Your token has ")
