"""Faults of the operating system: calls of a program that fail, or that kill it (strace)."""

import shutil
import subprocess
from functools import cache

import pytest


@cache
def why_not() -> str | None:
    """Return why nothing can be traced here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, timeout=10)  # noqa: S607
    return "tracing is not permitted here" if tried.returncode else None


def needs_strace() -> pytest.MarkDecorator:
    """Mark a test that cannot run where nothing can be traced."""
    return pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


def injecting(call: str, fault: str) -> list[str]:
    """Run what follows with *fault* put into its system calls of one name."""
    options = ["-e", f"trace={call}", "-e", f"inject={call}:{fault}"]
    return ["strace", "-f", "-qq", "-o", "/dev/null", *options]
