"""Torture: tests that are short every day and long under `make torture`, and what they saw."""

import os

IS_TORTURE = os.environ.get("TORTURE") == "1"


def size(everyday: int, *, torture: int) -> int:
    """Choose how much is done."""
    return torture if IS_TORTURE else everyday
