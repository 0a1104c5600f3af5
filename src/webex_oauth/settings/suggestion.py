"""The name that was probably meant."""

import difflib
from collections.abc import Iterable

CLOSE = 0.85


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return words that suggest the known name closest to *name*; nothing if none is close."""
    names = set(known)
    nearest = [other for other in (f"WEBEX_{name}", name.removeprefix("WEBEX_")) if other in names]
    nearest += difflib.get_close_matches(name, names, n=1, cutoff=CLOSE)
    return f"; did you mean {nearest[0]}?" if nearest else ""
