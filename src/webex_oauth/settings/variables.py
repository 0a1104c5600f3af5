"""Variables of a `.env`, of the environment or of a program, and where files of theirs lie."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from webex_oauth.errors import ConfigurationError
from webex_oauth.secret import Secret
from webex_oauth.settings.names import NAMES, path_in, suggestion
from webex_oauth.vault.private_files import exposure

if TYPE_CHECKING:
    from dotenv.parser import Binding

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
SECRET_NAMES: Final = frozenset({"CLIENT_SECRET", "WEBEX_KEYS", "WEBEX_STORE_URL", "WEBEX_PROXY"})
WORD: Final = re.compile(r"\b(?!AUTH_INIT_URL)[A-Z]+(?:_[A-Z]+)*\b")
FOLDER_NAME: Final = "webex-oauth"
FOLDER_WITHOUT_HOME: Final = Path("/var/lib") / FOLDER_NAME
USUAL_FILE: Final = ".env"
OWN_FIELDS: Final = {
    "client_secret": "CLIENT_SECRET",
    "port": "PORT",
    "debug": "DEBUG",
    "help_url": "WEBEX_HELP",
}
"""Fields whose variables are not WEBEX_... and the field's name."""


class Sources(Struct, frozen=True):
    """Variables from all places; relative paths in them are below *base*.

    *folder* is where files without a path of their own are kept. *absent* is a file that should
    have been read.
    """

    variables: Mapping[str, str]
    base: Path
    folder: Path
    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    absent: Path | None = None


def read_sources(env_file: str | Path | None, environment: Mapping[str, str]) -> Sources:
    """Read *env_file*, if there is one, and *environment*, which wins over it.

    Raises ConfigurationError if the file cannot be read.
    """
    base = folder = data_folder(environment)
    path = None if env_file is None else Path(env_file).absolute()
    if path is None or not path.exists():
        return Sources(
            environment, base, folder, warnings=_relative(environment, base), absent=path
        )
    bindings = _read(path)
    inside = {binding.key: binding.value for binding in bindings if binding.key and binding.value}
    if not NAMES.isdisjoint(inside):
        base, folder = path.parent, path.parent / f".{FOLDER_NAME}"
    return Sources(
        {**inside, **environment},
        base,
        folder,
        tuple(_mistakes(path, bindings)),
        (*_warnings(path, bindings), *_relative(environment, base)),
    )


def sources_of_fields(fields: Mapping[str, object]) -> Sources:
    """Return the variables that say what a program gave as *fields*; None is not given.

    Raises TypeError for a value of another type.
    """
    given = {**fields, "debug": "oauth" if fields["debug"] else None}
    variables = {
        OWN_FIELDS.get(name, f"WEBEX_{name.upper()}"): _text(name, value)
        for name, value in given.items()
        if value is not None
    }
    folder = data_folder(os.environ)
    return Sources(variables, folder, folder, warnings=_relative(variables, folder))


def field_words(texts: Iterable[str]) -> tuple[str, ...]:
    """Return *texts* with the names of fields in place of those of variables."""
    fields = {variable: variable.removeprefix("WEBEX_").lower() for variable in NAMES}
    fields |= {variable: field for field, variable in OWN_FIELDS.items()}
    return tuple(WORD.sub(lambda word: fields.get(word[0], word[0]), text) for text in texts)


def data_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of this user's data (XDG base directories)."""
    stated = environment.get("XDG_DATA_HOME", "")
    if Path(stated).is_absolute():
        return Path(stated) / FOLDER_NAME
    # expanduser leaves the tilde if the user has no home.
    home = Path(environment.get("HOME", "") or os.path.expanduser("~"))  # noqa: PTH111
    return home / ".local/share" / FOLDER_NAME if home.is_absolute() else FOLDER_WITHOUT_HOME


def _text(name: str, value: object) -> str:
    match value:
        case Secret():
            return value.reveal()
        case bool():
            return "yes" if value else "no"
        case str() | int() | Path():
            return str(value)
        case Iterable() if name in {"scopes", "token_origins"}:
            return " ".join(value)
    raise TypeError(f"{name} cannot be of type {type(value).__name__}")


def _relative(variables: Mapping[str, str], base: Path) -> tuple[str, ...]:
    """Return warnings of relative paths: where they lie does not depend on the working folder."""
    paths = {name: path_in(name, value) for name, value in variables.items()}
    return tuple(
        f"{name} is relative and leads to {base / path}: write the whole path"
        for name, path in paths.items()
        if path and not Path(path).is_absolute() and path[0] not in "~$"
    )


def _read(env_file: Path) -> "list[Binding]":
    # It loads as much again as the settings themselves, and many programs have no such file.
    from dotenv.parser import parse_stream  # noqa: PLC0415

    try:
        with env_file.open(encoding="utf-8-sig") as file:
            return list(parse_stream(file))
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            [f"{env_file} cannot be read ({type(error).__name__}): save it as UTF-8 text"]
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            [f"{env_file} cannot be read ({reason}): check its path and rights"]
        ) from error


def _mistakes(path: Path, bindings: "list[Binding]") -> Iterator[str]:
    for binding in bindings:
        line = f"line {binding.original.line} of {path}"
        if binding.error or (binding.key and not NAME.fullmatch(binding.key)):
            yield (
                f"{line} is not NAME=value: is it the rest of the line before? "
                "Put a value on one line, and close its quotes"
            )
        elif binding.key in NAMES and binding.value is None:
            yield f"{line} has no value: write {binding.original.string.strip()}=..."


def _warnings(path: Path, bindings: "list[Binding]") -> Iterator[str]:
    lines: dict[str, int] = {}
    for binding in bindings:
        name, line = binding.key, binding.original.line
        if name is None or not NAME.fullmatch(name):
            continue
        if name in lines:
            yield (
                f"{name} stands twice in {path} (lines {lines[name]} and {line}): the last one "
                "counts, remove the other"
            )
        lines[name] = line
        # The reader looks at names of WEBEX_... wherever they come from.
        if name not in NAMES and not name.startswith("WEBEX_"):
            guess = suggestion(name, NAMES)
            if guess:
                yield f"line {line} of {path}: {name} is not a setting{guess}"
    readable = exposure(path)
    if readable is not None and not SECRET_NAMES.isdisjoint(lines):
        yield readable
