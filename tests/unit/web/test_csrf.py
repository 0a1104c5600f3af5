"""A form or a link proves that the application made it, for this session."""

import pytest

from webex_oauth.secret import Secret
from webex_oauth.web.browser_security import (
    csrf_token,
    is_csrf_token,
    is_notice_proof,
    notice_proof,
)

MINE, ANOTHER = Secret("session-1"), Secret("session-2")
NOTICE = "ended"


@pytest.mark.check("D09")
def test_a_token_belongs_to_one_session() -> None:
    token = csrf_token(MINE).reveal()

    assert is_csrf_token(token, MINE)
    assert not is_csrf_token(token, ANOTHER)


@pytest.mark.parametrize("presented", ["", "0" * 64, "é", MINE.reveal()])
def test_a_token_cannot_be_made_up(presented: str) -> None:
    assert not is_csrf_token(presented, MINE)
    assert not is_notice_proof(presented, NOTICE, MINE)


def test_a_proof_belongs_to_one_notice_of_one_session() -> None:
    proof = notice_proof(NOTICE, MINE)

    assert is_notice_proof(proof, NOTICE, MINE)
    assert not is_notice_proof(proof, "another", MINE)
    assert not is_notice_proof(proof, NOTICE, ANOTHER)


def test_a_proof_has_128_bits() -> None:
    assert len(bytes.fromhex(notice_proof(NOTICE, MINE))) == 16


@pytest.mark.parametrize("notice", ["", "csrf", "webex-oauth csrf", "\ud800"])
def test_no_proof_in_an_address_is_the_start_of_a_token(notice: str) -> None:
    assert not csrf_token(MINE).reveal().startswith(notice_proof(notice, MINE))
