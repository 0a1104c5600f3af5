"""Field text of HTTP is octets: no helper of `str` that knows Unicode's blanks reads it."""

import ast
from collections.abc import Iterator

from architecture.sources import Source, sources

PACKAGE = "src/webex_oauth/"
WIRE = ("oauth/", "transport/", "web/", "webex/")
HELPERS = frozenset(
    {"strip", "lstrip", "rstrip", "split", "rsplit", "splitlines"}
    | {"isdigit", "isdecimal", "isnumeric", "isalnum", "isalpha", "isspace", "casefold"}
)
TEXT_FOR_PEOPLE = frozenset({"web/rendering.py", "web/listrooms.py"})


def unicode_helpers(source: Source) -> Iterator[str]:
    """Find calls without an argument, which leave to Unicode what is a blank or a digit."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=[]) if name in HELPERS:
                yield f"{source.path}:{node.lineno} {ast.unparse(node)}"


def test_what_comes_over_the_wire_is_read_as_octets() -> None:
    found = [
        wrong
        for source in sources()
        if (path := source.path.removeprefix(PACKAGE)).startswith(WIRE)
        and path not in TEXT_FOR_PEOPLE
        for wrong in unicode_helpers(source)
    ]

    assert found == []


def test_a_careless_line_is_found() -> None:
    text = "kind = header.partition(';')[0].strip().lower()\nsafe = header.strip(' \\t')"

    assert len(list(unicode_helpers(Source("x.py", text, ast.parse(text))))) == 1
