"""What is inside a seal: a value as MessagePack, the only place where secrets are written out."""

from typing import Generic, TypeVar

import msgspec

from webex_oauth.errors import SealBroken
from webex_oauth.secret import Secret
from webex_oauth.vault.sealing import Context, Sealer

T = TypeVar("T")


class Envelope(Generic[T]):
    """Write and read values of one type, sealed."""

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


def _write_secret(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"{type(value).__name__} has no place in an envelope")


def _read_secret(expected: type, value: object) -> Secret:
    if expected is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"{expected.__name__} has no place in an envelope")
