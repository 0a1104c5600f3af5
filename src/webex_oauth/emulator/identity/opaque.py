"""Opaque values of three parts: random text, the emulator's mark, the organization."""

import base64

from webex_oauth.emulator.randomness import Randomness

MARK = "EMULATOR"
"""Stands where Webex names its cluster, so that an invented token is seen to be one."""


def opaque_value(randomness: Randomness, organization_uuid: str) -> str:
    """Invent a token or code in Webex's form; only its two separators are underscores."""
    # Base64 of hexadecimal digits holds letters and digits only.
    text = base64.b64encode(randomness.hex(24).encode()).decode()
    return f"{text}_{MARK}_{organization_uuid}"
