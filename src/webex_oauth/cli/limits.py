"""What the system allows this process: more files than by default, and no core dump."""

import resource

FILES = 65_536
OTHER_FILES = 256
"""Files besides connections from browsers: those to Webex and to the store, and the log."""


def set_limits() -> None:
    """Allow as many files as the system lets us, up to FILES, and no memory on the disk.

    A connection is a file, and the soft limit is often 1,024. A core dump would hold keys.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def affordable_connections(wanted: int) -> int:
    """Return how many connections there may be, at most *wanted*: each is a file."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(allowed - OTHER_FILES, allowed // 2))
