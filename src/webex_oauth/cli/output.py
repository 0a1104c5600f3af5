"""The one way of printing: foreign text cannot steer a terminal, nor pass for a line of ours."""

import unicodedata
from typing import Final

import click

HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """Return *text* on one line; what would act on a terminal is written as its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in HIDDEN else c for c in text)


def say(text: str) -> None:
    """Print one line to standard output."""
    click.echo(visible(text))


def complain(text: str) -> None:
    """Print one line to standard error."""
    click.echo(visible(text), err=True)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
