"""The command `webex-oauth`, also as `python -m webex_oauth`: it needs more than the library."""

import sys
from typing import Final

OF_APPLICATION: Final = frozenset({"click", "jinja2", "starlette", "uvicorn"})


def main() -> None:
    """Run the command line; without the extra that brings it, write how to install that."""
    try:
        from webex_oauth.cli import main as run  # noqa: PLC0415 - what it needs may be missing

        run()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in OF_APPLICATION:
            raise
        sys.exit(f"{error.name} is not installed: install webex-oauth with [app]")


if __name__ == "__main__":
    main()
