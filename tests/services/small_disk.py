"""A disk so small that a test can fill it."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import LIMIT_SECONDS

DISK_BYTES = 16 * 1024 * 1024
PIECE_BYTES = 4096


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount one in *folder*; skip the test where that is not permitted."""
    disk = folder / "disk"
    disk.mkdir(mode=0o700)
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or unmount is None:
        pytest.skip("only root makes a small disk")
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs"]
    if subprocess.run([mount, *options, disk], check=False, timeout=LIMIT_SECONDS).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield disk
    finally:
        subprocess.run([unmount, disk], check=True, timeout=LIMIT_SECONDS)


@contextmanager
def filled(disk: Path, *, free_bytes: int = 0) -> Iterator[None]:
    """Leave no more room than *free_bytes* for as long as the block lasts."""
    reserve, ballast = disk / "reserve", disk / "ballast"
    reserve.write_bytes(bytes(free_bytes))
    _take_all_room(ballast)
    reserve.unlink()
    try:
        yield
    finally:
        ballast.unlink()


def _take_all_room(ballast: Path) -> None:
    """Write until nothing more fits: others write meanwhile, so the room cannot be computed."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PIECE_BYTES))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
