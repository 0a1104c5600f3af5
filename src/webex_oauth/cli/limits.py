"""What the system allows this process: more files than by default, and no core dump."""

import resource

FILES = 65_536


def set_limits() -> None:
    """Allow as many files as the system lets us, up to FILES, and no memory on the disk.

    A connection is a file, and the soft limit is often 1,024. A core dump would hold keys.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
