"""Variables of a `.env` and of the environment, read one by one; mistakes in them are collected."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dotenv.parser import Binding, parse_stream

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings.names import IGNORED_ENVIRONMENT, NAMES, cleaned, path_in, suggestion
from webex_oauth.vault.private_files import exposure

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
SECRET_NAMES: Final = ("CLIENT_SECRET", "WEBEX_KEYS", "WEBEX_STORE_URL", "WEBEX_PROXY")
FOLDER_NAME: Final = "webex-oauth"
FOLDER_WITHOUT_HOME: Final = Path("/var/lib") / FOLDER_NAME
YES_OR_NO: Final = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Sources:
    """Variables from all places; *folder* is where files without a path of their own are kept."""

    variables: Mapping[str, str]
    folder: Path
    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_sources(env_file: Path | None, environment: Mapping[str, str]) -> Sources:
    """Read *env_file*, if there is one, and *environment*, which wins over it.

    Raises ConfigurationError if the file cannot be read.
    """
    here = Path.cwd()
    outside = {name: _anchored(name, value, here) for name, value in environment.items()}
    relative = tuple(
        f"{name} is relative to the working folder, {here}: write the whole path"
        for name, value in outside.items()
        if value != environment[name]
    )
    if env_file is None:
        return Sources(outside, data_folder(environment), warnings=relative)
    if not env_file.exists():
        absent = f"{env_file} does not exist: check the path of --env-file"
        return Sources(outside, data_folder(environment), (absent,), relative)
    bindings = _read(env_file)
    folder = env_file.absolute().parent
    inside = {b.key: _anchored(b.key, b.value, folder) for b in bindings if b.key and b.value}
    return Sources(
        {**inside, **outside},
        folder / f".{FOLDER_NAME}",
        tuple(_mistakes(env_file, bindings)),
        (*_warnings(env_file, bindings), *relative),
    )


def data_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of this user's data (XDG base directories)."""
    stated = environment.get("XDG_DATA_HOME", "")
    if Path(stated).is_absolute():
        return Path(stated) / FOLDER_NAME
    # expanduser leaves the tilde if the user has no home.
    home = Path(environment.get("HOME", "") or os.path.expanduser("~"))  # noqa: PTH111
    return home / ".local/share" / FOLDER_NAME if home.is_absolute() else FOLDER_WITHOUT_HOME


def _anchored(name: str, value: str, folder: Path) -> str:
    """Return *value* with the path in it made absolute: a relative one is below *folder*."""
    path = path_in(name, value)
    if not path or path[0] in "~$":
        return value
    return f"{value.removesuffix(path)}{folder / path}"


def _read(env_file: Path) -> list[Binding]:
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


def _mistakes(path: Path, bindings: list[Binding]) -> Iterator[str]:
    for binding in bindings:
        line = f"line {binding.original.line} of {path}"
        if binding.error or (binding.key and not NAME.fullmatch(binding.key)):
            yield (
                f"{line} is not NAME=value: is it the rest of the line before? "
                "Put a value on one line, and close its quotes"
            )
        elif binding.key in NAMES and binding.value is None:
            yield f"{line} has no value: write {binding.original.string.strip()}=..."


def _warnings(path: Path, bindings: list[Binding]) -> Iterator[str]:
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
        # `Collector` looks at names of WEBEX_... wherever they come from.
        if name not in NAMES and not name.startswith("WEBEX_"):
            guess = suggestion(name, NAMES)
            if guess:
                yield f"line {line} of {path}: {name} is not a setting{guess}"
    readable = exposure(path)
    if readable is not None and any(name in lines for name in SECRET_NAMES):
        yield readable


class Collector:
    """The values as they were meant; `mistakes` and `warnings` say what is wrong with them."""

    def __init__(self, sources: Sources) -> None:
        self.mistakes = list(sources.mistakes)
        self.warnings = list(sources.warnings)
        self._variables = {n: self._cleaned(n, v) for n, v in sources.variables.items()}

    def _cleaned(self, name: str, value: str) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{name} is not text: settings are read from text, as in os.environ")
        if name not in NAMES:
            return value.strip()
        text, mistakes = cleaned(name, value)
        self.mistakes.extend(mistakes)
        return text

    def value(self, name: str) -> str:
        """Return the value of *name*; nothing if it is not set."""
        return self._variables.get(name, "")

    def add(self, mistake: str | None) -> None:
        """Collect a mistake, if it is one."""
        if mistake is not None:
            self.mistakes.append(mistake)

    def warn(self, warning: str | None) -> None:
        """Collect a warning, if it is one."""
        if warning is not None:
            self.warnings.append(warning)

    def whole_number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Return a whole number within bounds."""
        text = self.value(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            self.mistakes.append(f"{name} must be a whole number from {lowest} to {highest}")
            return default
        return int(text)

    def yes_or_no(self, name: str, *, default: bool) -> bool:
        """Return whether a setting says yes."""
        text = self.value(name).lower()
        if text and text not in YES_OR_NO:
            self.mistakes.append(f"{name} must be yes or no")
        return YES_OR_NO.get(text, default)

    def warn_of_ignored_names(self) -> None:
        """Warn of names that have no effect here."""
        if self.value("STATE"):
            self.warnings.append(
                "STATE is ignored: a state that never changes protects nobody, because anyone "
                "who has seen it once can forge a callback; every sign-in gets its own"
            )
        for name, remedy in IGNORED_ENVIRONMENT.items():
            if self.value(name) or self.value(name.lower()):
                self.warnings.append(f"{name} is ignored: {remedy}")
        for name in self._variables:
            if name.startswith("WEBEX_") and name not in NAMES:
                self.warnings.append(f"{name} is not a setting{suggestion(name, NAMES)}")
