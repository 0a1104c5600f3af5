"""Where the emulator's unguessable values come from: the system, or a seed for repeatable runs."""

import base64
import hashlib
import secrets
import uuid

_MARK = "EMULATOR"
"""Stands where Webex names its cluster, so that an invented token is seen to be one."""


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

    def opaque(self, organization_uuid: str) -> str:
        """Return a token or code in Webex's form: random text, mark and organization.

        Only its two separators are underscores.
        """
        # Base64 of hexadecimal digits holds letters and digits only.
        text = base64.b64encode(self.hex(24).encode()).decode()
        return f"{text}_{_MARK}_{organization_uuid}"
