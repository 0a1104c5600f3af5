"""The system's limits on this process, where it has such: open files and core dumps."""

from typing import Final

try:
    import resource
except ImportError:  # beyond POSIX there are none to raise
    resource = None  # type: ignore[assignment]

MAX_FILES: Final = 65_536
OTHER_FILES: Final = 256
"""Files besides connections from browsers: those to Webex and to the store, and the log."""


def set_limits() -> None:
    """Raise the limit on open files as far as allowed, up to MAX_FILES, and forbid core dumps.

    A connection is a file, and the soft limit is often 1,024. A core dump would contain keys.
    """
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def affordable_connections(wanted: int) -> int:
    """Return how many connections to allow, at most *wanted*: each is an open file."""
    if resource is None:
        return wanted
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(allowed - OTHER_FILES, allowed // 2))
