"""A value that does not print itself."""

import hmac
from typing import NoReturn, final


@final
class Secret:
    """A text that must not reach a log, a page, a repr or a pickle.

    Comparison takes the same time whatever the values are.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the text; only where a request, an envelope or a cookie is built."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self.__text), _octets(other.reveal()))

    def __hash__(self) -> int:
        return hash((Secret, self.__text))

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def _octets(text: str) -> bytes:
    # Text from outside may hold half surrogates; comparing it must not fail.
    return text.encode("utf-8", "surrogatepass")
