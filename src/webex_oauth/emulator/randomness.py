"""Where the emulator's unguessable values come from: the system, or a seed for repeatable runs."""

import hashlib
import secrets
import uuid


class Randomness:
    """Draw random values; the same seed draws the same values in the same order."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed
        self._drawn = 0

    def bytes(self, length: int) -> bytes:
        """Return *length* random bytes."""
        if self._seed is None:
            return secrets.token_bytes(length)
        self._drawn += 1
        material = f"{self._seed}:{self._drawn}".encode()
        return hashlib.shake_256(material).digest(length)

    def hex(self, length: int) -> str:
        """Return *length* random bytes as lower-case hexadecimal digits."""
        return self.bytes(length).hex()

    def uuid(self) -> str:
        """Return a random (version 4) UUID."""
        return str(uuid.UUID(bytes=self.bytes(16), version=4))
