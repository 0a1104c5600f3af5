"""Text that a server wrote for people, made safe to log and to show."""

MAX_CHARACTERS = 500
MAX_READ = 4 * MAX_CHARACTERS
"""How much is looked at to find that many characters that say something."""


def read_text(value: object) -> str | None:
    """Return *value* on one line of at most 500 characters, or None when it says nothing.

    What does not print (line ends, escapes, bidirectional overrides) becomes a space.
    """
    if not isinstance(value, str):
        return None
    visible = "".join(
        character if character.isprintable() else " " for character in value[:MAX_READ]
    )
    return " ".join(visible.split())[:MAX_CHARACTERS].rstrip() or None
