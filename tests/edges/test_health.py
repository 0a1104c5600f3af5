"""Health: alive without asking anybody, ready only with the store."""

import pytest
from edges.stage import Stage, open_stage

from webex_oauth.errors import StoreUnavailable


@pytest.mark.check("H09")
def test_health_asks_nothing_else(stage: Stage) -> None:
    checks_before = stage.store.check_count

    with stage.failing_store(StoreUnavailable("down")):
        answer = stage.client().get("/healthz")

    assert (answer.status, answer.body) == (200, b"alive\n")
    assert stage.store.check_count == checks_before


@pytest.mark.check("H09")
@pytest.mark.parametrize("failure", [StoreUnavailable("secret detail"), TimeoutError()])
def test_a_store_that_is_down_makes_the_server_unready_and_tells_strangers_nothing(
    failure: Exception, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        open_stage(tmp_path_factory.mktemp("unready")) as stage,
        stage.failing_store(failure),
    ):
        answer = stage.client().get("/readyz")

    assert (answer.status, answer.body) == (503, b"not ready\n")
