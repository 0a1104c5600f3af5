"""What the server's and the client library's errors mean to the vault."""

from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterCrossSlotError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from webex_oauth.errors import ConfigurationError, StoreUnavailable

GENERIC = "ERR"


def read_fault(error: RedisError) -> StoreUnavailable:
    """Give the error of the tree for one of redis-py's."""
    code = _code(error)
    if code is not None:
        return StoreUnavailable(f"the database refused with {code}")
    reason = type(error.__context__ or error).__name__
    return StoreUnavailable(f"the database cannot be reached ({reason})")


def read_first_fault(error: RedisError, place: str) -> ConfigurationError | StoreUnavailable:
    """Give the error of the tree for one that came at the very beginning.

    There, what the operator has to change is told from what passes.
    """
    match error:
        case AuthenticationError():
            remedy = "check the user and the password of WEBEX_STORE_URL"
        case NoPermissionError():
            remedy = "let the user of WEBEX_STORE_URL run every command on the keys of its prefix"
        case AskError() | ClusterCrossSlotError():
            remedy = "give the address of the cluster's node that holds the slot of the prefix"
        case ResponseError(status_code=code) if code == GENERIC:
            remedy = "check the number of the database at the end of WEBEX_STORE_URL"
        case _:
            said = _code(error) or _words(error)
            return StoreUnavailable(f"the database at {place} cannot be used: {said}")
    return ConfigurationError([f"the database at {place} refused with {_code(error)}: {remedy}"])


def _words(error: RedisError) -> str:
    """Return the system's or OpenSSL's words where they are behind *error*."""
    match error.__context__:
        case OSError(strerror=str(words)):
            return words
    return str(error) or type(error).__name__


def _code(error: RedisError) -> str | None:
    """Give the word by which the server names an error; None when it said nothing."""
    if error.status_code is not None:
        return error.status_code
    word = str(error).partition(" ")[0]
    return word if isinstance(error, ResponseError) and word.isupper() else None
