"""Files that only their owner can read: mode 0600, in a folder of mode 0700, whatever the umask.

Everything here refuses with an OSError whose text says what to do.
"""

import os
import stat
from pathlib import Path

try:
    import fcntl
except ImportError:  # beyond POSIX one process at a time is expected
    fcntl = None  # type: ignore[assignment]

OTHERS = 0o077
WRITERS = 0o022
GROUP_CHANGES = 0o037
"""All that is more than being read by the group."""

TOP_LEVEL_PARTS = 2


def ensure_private_folder(folder: Path) -> None:
    """Make *folder*, and what is missing above it; refuse one that others can enter."""
    for ancestor in (*reversed(folder.parents), folder):
        if not ancestor.is_dir():
            ancestor.mkdir(mode=0o700, exist_ok=True)
    _check_folder(folder)


def check_private_folder(folder: Path) -> None:
    """Refuse *folder* if others can enter it, or it cannot be written or made; make nothing."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"{there} is not a folder: choose another path")
    if there == folder:
        _check_folder(folder)
    if is_read_only(there):
        raise PermissionError(
            f"{there} is on a read-only file system: choose a folder that can be written"
        )
    if not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        raise PermissionError(
            f"{there} cannot be written by user {os.geteuid()}, who runs this: give that user the "
            "folder, or choose another"
        )


def _check_folder(folder: Path) -> None:
    found = folder.stat()
    _check_owner(folder, found)
    if found.st_mode & OTHERS:
        raise PermissionError(
            f"{folder} can be entered by others (mode {_mode(found)}): {_folder_remedy(folder)}"
        )


def _folder_remedy(folder: Path) -> str:
    own = f"choose a folder of its own, such as {folder / 'webex-oauth'}"
    if len(folder.parts) <= TOP_LEVEL_PARTS:
        return own  # a machine whose /etc or /tmp is closed stands still
    return f"{own}, or run `chmod 700 {folder}` if nothing else is in it"


def check_private_file(path: Path) -> None:
    """Refuse *path* if it is a link, foreign or open to others."""
    _check(path, path.lstat())


def create_private_file(path: Path, content: bytes) -> None:
    """Create *path* with its whole *content* in one step.

    A reader finds all of it or no file. The draft is locked while its writer lives, and empty until
    then. Raises FileExistsError when it is there already.
    """
    if path.is_symlink() or path.exists():
        raise FileExistsError(f"{path} is there already")
    import tempfile  # noqa: PLC0415 - it loads much, for a file that is made once

    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            take_lock(descriptor, waits=True)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.link(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)
    _sync_folder(path.parent)


def take_lock(descriptor: int, *, waits: bool = False) -> bool:
    """Return whether no other process holds the lock of a file or folder; it ends with this one."""
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def drop_dead_draft(draft: Path) -> None:
    """Remove a draft of `create_private_file` whose writer died; no clock has a say in it."""
    with draft.open("rb") as file:
        if take_lock(file.fileno()) and file.read(1):
            draft.unlink()


def replace_private_file(path: Path, content: bytes) -> None:
    """Put *content* in the place of what *path* holds, in one step, on the disk when it returns.

    One writer at a time; what a killed one left behind goes.
    """
    check_private_file(path)
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        with open(draft, "xb", opener=_open_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def read_private_file(path: Path, max_bytes: int) -> bytes:
    """Read *path*; refuse it when it is a link, foreign, open to others or too large.

    What a platform mounted is taken as it is: see `is_mounted`.
    """
    mounted = is_mounted(path)
    if not mounted:
        check_private_file(path)
    follow = 0 if mounted else os.O_NOFOLLOW
    descriptor = os.open(path, os.O_RDONLY | follow | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not mounted:
            _check(path, os.fstat(descriptor))
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise OSError(f"{path} is larger than {max_bytes} bytes: it is not the file it should be")
    return content


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _check(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise PermissionError(f"{path} is a symbolic link: put the file itself there")
    if not stat.S_ISREG(found.st_mode):
        raise PermissionError(f"{path} is not a regular file: choose another path")
    _check_owner(path, found)
    if found.st_mode & OTHERS:
        raise PermissionError(
            f"{path} can be read by others (mode {_mode(found)}): run `chmod 600 {path}`"
        )


def _check_owner(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise PermissionError(
            f"{path} belongs to user {found.st_uid} and this process runs as {os.geteuid()}: "
            f"run `chown {os.geteuid()} {path}`"
        )


def _mode(found: os.stat_result) -> str:
    return f"{stat.S_IMODE(found.st_mode):04o}"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exposure(path: Path) -> str | None:
    """Return a complaint if every user of this machine can read *path*; raise OSError.

    A read-only mount is the platform's own, in a container where there are no others.
    """
    found = path.stat()
    is_open = stat.S_ISREG(found.st_mode) and found.st_mode & stat.S_IRWXO
    if not is_open or is_read_only(path):
        return None
    return (
        f"every user of this machine can read {path} (mode {_mode(found)}): run `chmod 600 {path}`"
    )


def is_mounted(path: Path) -> bool:
    """Check whether a platform put *path* there, so that no one on this machine can change it.

    Kubernetes and Docker mount secrets read-only, as links, owned by root and often readable by
    all users of the container; or they are root's and readable by a group of this process alone.
    """
    try:
        found, folder = path.stat(), path.parent.stat()
        if not stat.S_ISREG(found.st_mode):
            return False
        # A file is a mount by itself if only it cannot be changed; a link is anyone's.
        if is_read_only(path.parent if path.is_symlink() else path):
            return is_read_only(path)
    except OSError:
        return False
    is_roots = found.st_uid == folder.st_uid == 0 != os.geteuid()
    return is_roots and not found.st_mode & GROUP_CHANGES and not folder.st_mode & WRITERS


def is_read_only(path: Path) -> bool:
    """Check whether *path* lies on a mount that cannot be written; raise OSError."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
