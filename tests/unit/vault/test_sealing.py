"""What a seal promises."""

import copy
import os
import pickle

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from webex_oauth.errors import KeyUnavailable, SealBroken, VaultError
from webex_oauth.vault.sealing import Context, Key, KeyRing, Sealer, associated_data, key_id_of

MATERIAL = bytes(range(32))
RING = KeyRing(Key("one", MATERIAL))
SEALER = Sealer(RING, lambda count: bytes(range(count)))
CONTEXT = Context(kind="grant", name=b"row")
PLAINTEXT = b"what must stay unknown"
KEPT = (
    "01036f6e65000102030405060708090a0b306ab76fe588b768f961e4ffd09058"
    "18edbde95b8715065ad896ffc8567bdc5d729a857ab12c"
)


def sealed() -> bytes:
    return SEALER.seal(PLAINTEXT, CONTEXT)


@given(st.binary(max_size=300))
def test_what_was_sealed_opens(plaintext: bytes) -> None:
    assert SEALER.open(SEALER.seal(plaintext, CONTEXT), CONTEXT) == plaintext


def test_a_seal_from_an_earlier_release_opens() -> None:
    kept = bytes.fromhex(KEPT)

    assert SEALER.open(kept, CONTEXT) == PLAINTEXT


def test_a_seal_hides_its_content() -> None:
    assert PLAINTEXT not in sealed()


@pytest.mark.parametrize("at", range(len(sealed())))
@pytest.mark.check("F01")
def test_every_single_byte_is_bound(at: int) -> None:
    changed = bytearray(sealed())
    changed[at] ^= 1

    with pytest.raises(VaultError):
        SEALER.open(bytes(changed), CONTEXT)


@pytest.mark.parametrize("length", range(len(sealed())))
def test_a_seal_cut_short_is_broken(length: int) -> None:
    with pytest.raises(SealBroken):
        SEALER.open(sealed()[:length], CONTEXT)


@given(st.binary(max_size=200))
def test_bytes_that_were_never_sealed_are_refused(invented: bytes) -> None:
    with pytest.raises(VaultError):
        SEALER.open(invented, CONTEXT)


def test_a_seal_names_its_key() -> None:
    assert key_id_of(sealed()) == "one"


@pytest.mark.parametrize("broken", [b"", b"\x01", bytes((2, *sealed()[1:])), sealed()[:10]])
def test_a_broken_seal_names_no_key(broken: bytes) -> None:
    with pytest.raises(SealBroken):
        key_id_of(broken)


@pytest.mark.parametrize("length", range(len(sealed()) - len(PLAINTEXT)))
def test_the_shortest_seal_cut_short_is_broken(length: int) -> None:
    empty = SEALER.seal(b"", CONTEXT)

    with pytest.raises(SealBroken):
        SEALER.open(empty[:length], CONTEXT)


def test_an_impossible_key_name_is_broken() -> None:
    with pytest.raises(SealBroken, match="no possible key"):
        SEALER.open(sealed().replace(b"one", b"o e", 1), CONTEXT)


@pytest.mark.parametrize(
    "place",
    [replace(CONTEXT, kind="session"), replace(CONTEXT, name=b"another"), Context("gran", b"trow")],
    ids=["kind", "name", "both"],
)
@pytest.mark.check("F02")
def test_a_seal_opens_nowhere_else(place: Context) -> None:
    with pytest.raises(SealBroken):
        SEALER.open(sealed(), place)


contexts = st.builds(Context, kind=st.text("ab", max_size=2), name=st.binary(max_size=2))


@given(contexts, contexts)
@pytest.mark.check("F02")
def test_no_two_places_are_encoded_alike(one: Context, other: Context) -> None:
    is_same_code = associated_data(b"k", one) == associated_data(b"k", other)

    assert is_same_code == (one == other)


def test_an_old_key_still_opens() -> None:
    rotated = KeyRing(Key("two", os.urandom(32)), (RING.primary,))

    assert Sealer(rotated, os.urandom).open(sealed(), CONTEXT) == PLAINTEXT


def test_the_primary_key_seals() -> None:
    rotated = KeyRing(Key("two", os.urandom(32)), (RING.primary,))

    with pytest.raises(KeyUnavailable, match="'two' is not in the key file"):
        SEALER.open(Sealer(rotated, os.urandom).seal(PLAINTEXT, CONTEXT), CONTEXT)


def test_another_key_under_the_same_id_opens_nothing() -> None:
    impostor = KeyRing(Key("one", os.urandom(32)))

    with pytest.raises(SealBroken):
        Sealer(impostor, os.urandom).open(sealed(), CONTEXT)


@pytest.mark.check("F01")
def test_two_seals_of_one_value_differ() -> None:
    sealer = Sealer(RING, os.urandom)

    assert sealer.seal(PLAINTEXT, CONTEXT) != sealer.seal(PLAINTEXT, CONTEXT)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeyUnavailable, match="32"):
        Key("one", bytes(length))


@pytest.mark.parametrize("key_id", ["", "a b", "a\n", "é", "k" * 65, "a/b"])
def test_a_key_id_that_cannot_be_written_down_is_refused(key_id: str) -> None:
    with pytest.raises(KeyUnavailable, match="key id"):
        Key(key_id, MATERIAL)


def test_a_key_does_not_show_its_material() -> None:
    shown = f"{RING!r} {RING} {Sealer(RING, os.urandom)!r}"

    assert repr(MATERIAL)[2:10] not in shown
    assert MATERIAL.hex()[:8] not in shown


@pytest.mark.parametrize("leak", [pickle.dumps, copy.deepcopy])
def test_a_key_cannot_be_carried_away(leak: object) -> None:
    assert callable(leak)

    with pytest.raises(TypeError):
        leak(RING.primary)
