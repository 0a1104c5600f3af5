"""Sealing: AES-256-GCM under a ring of keys, each value bound to the place where it is kept.

A sealed value is: format byte, length of the key id, key id, nonce, ciphertext with its tag.
"""

import hmac
import re
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from webex_oauth.errors import KeyUnavailable, SealBroken
from webex_oauth.ports import Randomness
from webex_oauth.secret import Secret

FORMAT = 1
KEY_BYTES = 32
NONCE_BYTES = 12
INDEX_PURPOSE = b"webex-oauth index"
T = TypeVar("T")
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Key:
    """A key. Its 32 bytes go into the cipher, and into a key for digests, and cannot be read."""

    __slots__ = ("_index_key", "cipher", "id")

    def __init__(self, key_id: str, material: bytes) -> None:
        if not KEY_ID.fullmatch(key_id):
            raise KeyUnavailable("a key id is 1 to 64 letters, digits, dots, dashes, underscores")
        if len(material) != KEY_BYTES:
            raise KeyUnavailable(f"key {key_id!r} has {len(material)} bytes and not {KEY_BYTES}")
        self.id = key_id
        self.cipher = AESGCM(material)
        self._index_key = hmac.digest(material, INDEX_PURPOSE, "sha256")

    def __repr__(self) -> str:
        return f"Key(id={self.id!r})"

    def index(self, text: str) -> bytes:
        """Return the keyed digest (HMAC) by which a row is found that holds *text*."""
        return hmac.digest(self._index_key, text.encode(), "sha256")


class Keys(Protocol):
    """The key that seals now, and those that open."""

    @property
    def source(self) -> str:
        """What an operator calls the place they come from."""
        ...

    @property
    def primary(self) -> Key:
        """The key that seals."""
        ...

    @property
    def keys(self) -> Sequence[Key]:
        """All keys that this process knows, the one that seals first."""
        ...

    def find(self, key_id: str) -> Key:
        """Find a key by its id; raise KeyUnavailable if it is not there."""
        ...


class KeyRing(Struct, frozen=True):
    """The key that seals and the other ones that open."""

    primary: Key
    others: tuple[Key, ...] = ()
    source: str = "the key file"

    @property
    def keys(self) -> tuple[Key, ...]:
        return (self.primary, *self.others)

    def find(self, key_id: str) -> Key:
        for key in self.keys:
            if key.id == key_id:
                return key
        raise KeyUnavailable(f"key {key_id!r} is not in {self.source}: put it back")


class Context(Struct, frozen=True):
    """Where a sealed value is kept: it opens nowhere else."""

    kind: str
    name: bytes


class Sealer(Struct, frozen=True):
    """Keys, and a source of randomness for nonces."""

    keys: Keys
    randomness: Randomness

    def seal(self, plaintext: bytes, context: Context) -> bytes:
        """Seal *plaintext* for *context* under the primary key."""
        primary, nonce = self.keys.primary, self.randomness(NONCE_BYTES)
        key_id = primary.id.encode("ascii")
        ciphertext = primary.cipher.encrypt(nonce, plaintext, associated_data(key_id, context))
        return b"".join((bytes((FORMAT, len(key_id))), key_id, nonce, ciphertext))

    def open(self, sealed: bytes, context: Context) -> bytes:
        """Open *sealed*, kept at *context*.

        Raises SealBroken if a byte or the place is not the one that was sealed, KeyUnavailable if
        the key that sealed it is not there.
        """
        key_id, nonce, ciphertext = _parts(sealed)
        key = self.keys.primary
        if key_id != key.id.encode("ascii"):
            key = self.keys.find(_key_name(key_id))
        try:
            return key.cipher.decrypt(nonce, ciphertext, associated_data(key_id, context))
        except InvalidTag as error:
            raise SealBroken(f"a sealed {context.kind} does not fit its place") from error


class Envelope(Generic[T]):
    """Write and read values of one type, sealed as MessagePack: only here are secrets written."""

    def __init__(self, content: type[T]) -> None:
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_write_secret)
        self._decoder = msgspec.msgpack.Decoder(content, dec_hook=_read_secret)

    def seal(self, sealer: Sealer, value: T, context: Context) -> bytes:
        """Seal *value* for *context*."""
        return sealer.seal(self._encoder.encode(value), context)

    def open(self, sealer: Sealer, sealed: bytes, context: Context) -> T:
        """Open the value kept at *context*; raise SealBroken or KeyUnavailable."""
        plaintext = sealer.open(sealed, context)
        try:
            return self._decoder.decode(plaintext)
        except msgspec.DecodeError as error:
            raise SealBroken(f"a sealed {context.kind} does not read as one") from error


def key_id_of(sealed: bytes) -> str:
    """Read under which key a value was sealed; raise SealBroken if it names none."""
    return _key_name(_parts(sealed)[0])


def associated_data(key_id: bytes, context: Context) -> bytes:
    """Encode everything a seal is bound to; each part carries its length, so none can move."""
    parts = (bytes((FORMAT,)), key_id, context.kind.encode(), context.name)
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def _parts(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    if len(sealed) < 2 or sealed[0] != FORMAT:  # noqa: PLR2004 - the two bytes that come first
        raise SealBroken("a sealed value has an unknown format")
    nonce_at = 2 + sealed[1]
    ciphertext_at = nonce_at + NONCE_BYTES
    if len(sealed) < ciphertext_at:
        raise SealBroken("a sealed value is cut short")
    return sealed[2:nonce_at], sealed[nonce_at:ciphertext_at], sealed[ciphertext_at:]


def _key_name(key_id: bytes) -> str:
    name = key_id.decode("latin-1")
    if not KEY_ID.fullmatch(name):
        raise SealBroken("a sealed value names no possible key")
    return name


def _write_secret(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"{type(value).__name__} has no place in an envelope")


def _read_secret(expected: type, value: object) -> Secret:
    if expected is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"{expected.__name__} has no place in an envelope")
