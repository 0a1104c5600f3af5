"""How it serves: workers, the keeper, and what becomes of grants."""

import pytest
from unit.settings.samples import GOOD, only_mistake

from webex_oauth.settings import read_settings


def test_by_default_one_process_serves_keeps_and_lets_grants_go() -> None:
    settings = read_settings(GOOD)

    assert (settings.workers, settings.runs_keeper, settings.keeps_grants) == (1, True, False)


def test_workers_are_counted() -> None:
    assert read_settings(GOOD | {"WEBEX_WORKERS": "4"}).workers == 4


@pytest.mark.parametrize("workers", ["0", "65", "-1", "two"])
def test_a_count_of_workers_that_is_none_is_told(workers: str) -> None:
    assert only_mistake(WEBEX_WORKERS=workers) == (
        "WEBEX_WORKERS must be a whole number from 1 to 64"
    )


def test_several_workers_need_a_store_that_they_share() -> None:
    told = only_mistake(WEBEX_WORKERS="2", WEBEX_STORE_URL="memory:")

    assert "each process has for itself" in told
    assert "set WEBEX_WORKERS to 1" in told


def test_one_worker_may_keep_everything_in_memory() -> None:
    assert read_settings(GOOD | {"WEBEX_STORE_URL": "memory:"}).store_url == "memory:"


@pytest.mark.parametrize(("text", "is_kept"), [("yes", True), ("YES", True), ("no", False)])
def test_grants_may_outlive_sessions(text: str, *, is_kept: bool) -> None:
    assert read_settings(GOOD | {"WEBEX_KEEP_GRANTS": text}).keeps_grants is is_kept


@pytest.mark.parametrize(("text", "is_run"), [("yes", True), ("no", False)])
def test_the_keeper_may_run_elsewhere(text: str, *, is_run: bool) -> None:
    assert read_settings(GOOD | {"WEBEX_KEEPER": text}).runs_keeper is is_run


@pytest.mark.parametrize("name", ["WEBEX_KEEP_GRANTS", "WEBEX_KEEPER"])
def test_what_is_neither_yes_nor_no_is_told(name: str) -> None:
    assert only_mistake(**{name: "maybe"}) == f"{name} must be yes or no"
