"""The steps that happen whole on the server, each a script in Lua."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text, and the digest by which a server that has seen it knows it."""

    text: bytes
    digest: str


@cache
def read_script(name: str) -> Script:
    """Read the script *name* with what stands before every script."""
    folder = resources.files(__name__)
    text = folder.joinpath("rows.lua").read_bytes() + folder.joinpath(f"{name}.lua").read_bytes()
    return Script(text, hashlib.sha1(text, usedforsecurity=False).hexdigest())
