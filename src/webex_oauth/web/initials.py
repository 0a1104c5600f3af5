"""The letters that stand for a person who has no picture."""


def initials(name: str) -> str:
    """Take the first letter of the first and of the last word of *name*.

    A name without a letter or digit gives a question mark.
    """
    letters = [letter for word in name.split() if (letter := _first_letter(word))]
    if not letters:
        return "?"
    return letters[0] if len(letters) == 1 else letters[0] + letters[-1]


def _first_letter(word: str) -> str:
    return next((character.upper() for character in word if character.isalnum()), "")
