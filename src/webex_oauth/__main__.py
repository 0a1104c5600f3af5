"""The command `webex-oauth`, also as `python -m webex_oauth`: it needs more than the library."""

import gc
import os
import sys
from typing import Final

STANDARD_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
OF_APPLICATION: Final = frozenset({"click", "jinja2", "starlette", "uvicorn"})


def main() -> None:
    """Run the command line; without the extra that brings it, write how to install that."""
    _fill_standard_streams()
    gc.disable()  # until a command is loaded: nothing of that is garbage
    try:
        from webex_oauth.cli import main as run  # noqa: PLC0415 - what it needs may be missing

        run()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in OF_APPLICATION:
            raise
        sys.exit(f"{error.name} is not installed: install webex-oauth with [app]")


def _fill_standard_streams() -> None:
    """Open the null device for each standard stream that is closed.

    Else a socket or file gets its number, and the log of a child process with it.
    """
    for number, (name, mode) in enumerate(STANDARD_STREAMS):
        if getattr(sys, name) is None:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - it stays open


if __name__ == "__main__":
    main()
