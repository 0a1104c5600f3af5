"""Say what is missing when the interpreter is too old."""

import sys

if sys.version_info < (3, 11):
    found = ".".join(map(str, sys.version_info[:3]))
    raise SystemExit(
        f"webex-oauth needs Python 3.11 or newer and found {found}; "
        "name another one: make PYTHON=python3.12 demo"
    )
