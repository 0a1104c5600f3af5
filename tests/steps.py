"""Count the steps of some work instead of timing it: calls of Python and of C functions."""

import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from webex_oauth.errors import WebexOAuthError


def steps_of(work: Callable[[], object]) -> int:
    """Return how many functions *work* calls; an error of ours is an outcome like another."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    # A collection would run finalizers of what other tests left behind, and count them.
    gc.disable()
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        with suppress(WebexOAuthError):
            work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count
