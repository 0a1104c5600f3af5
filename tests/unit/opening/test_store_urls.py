"""Databases by their URL; a driver that is not installed stops only those who ask for it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from webex_oauth.errors import ConfigurationError
from webex_oauth.opening.store_urls import rows_at


class NotInstalled:
    """An import finder that does not find some packages."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's signature
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's signature
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(name, name=name)
        return None


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Hide *packages*, and those modules of ours that use them."""
    finder, ours = (
        NotInstalled(packages),
        ("webex_oauth.stores.postgres", "webex_oauth.stores.redis"),
    )
    gone = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in packages or name.startswith(ours)
    }
    for name in gone:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.modules.update(gone)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory:", "MemoryRows"),
        ("sqlite:///vault.sqlite", "SqliteRows"),
        ("postgresql://me:word@127.0.0.1/d", "PostgresRows"),
        ("redis://:word@127.0.0.1", "RedisRows"),
        ("rediss://:word@127.0.0.1", "RedisRows"),
    ],
)
def test_a_url_names_its_database(url: str, kind: str) -> None:
    assert type(rows_at(url)).__name__ == kind


@pytest.mark.parametrize(
    ("url", "packages", "extra"),
    [
        ("postgresql://h/d", ("psycopg", "psycopg_pool"), "postgres"),
        ("redis://h", ("redis",), "redis"),
        ("rediss://h", ("redis",), "redis"),
    ],
)
def test_a_driver_that_is_missing_is_named_with_its_extra(
    url: str, packages: tuple[str, ...], extra: str
) -> None:
    with without(*packages), pytest.raises(ConfigurationError) as caught:
        rows_at(url)

    (mistake,) = caught.value.mistakes
    assert mistake.startswith(
        f"WEBEX_STORE_URL: the driver for {url.partition(':')[0]}: is not installed"
    )
    assert f"install webex-oauth with [{extra}]" in mistake


def test_a_database_without_a_driver_needs_none() -> None:
    with without("psycopg", "psycopg_pool", "redis"):
        assert type(rows_at("sqlite:///vault.sqlite")).__name__ == "SqliteRows"


def test_another_url_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError):
        rows_at("mysql://h/d")
