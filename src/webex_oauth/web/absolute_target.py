"""Request targets in absolute form (RFC 9112 section 3.2.2), which name a host of their own."""

from urllib.parse import urlsplit


def take_host_of_target(target: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Put the host that an absolute *target* names in the place of the header's, which is ignored.

    Raises ValueError for a target that names none.
    """
    if target.startswith(b"/"):
        return
    host = urlsplit(target).netloc
    if not host:
        raise ValueError("the target names no host")
    headers[:] = [(b"host", host), *(header for header in headers if header[0] != b"host")]
