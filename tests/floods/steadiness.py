"""Steadiness: what a process may hold at most, and that this does not grow."""

from floods.meters import MEBIBYTE, Watch

MOST_FILE_GROWTH = 8
MOST_FILES = 100
MOST_THREADS = 8
MOST_LOG_BYTES = 128 * MEBIBYTE


def check_steady(watch: Watch, *, most_growth_bytes: int) -> None:
    """Check whether the process holds no more than after its warm-up."""
    assert watch.growth(lambda reading: reading.memory_bytes) < most_growth_bytes
    assert watch.growth(lambda reading: reading.file_count) < MOST_FILE_GROWTH
    assert watch.most(lambda reading: reading.file_count) < MOST_FILES
    assert watch.most(lambda reading: reading.thread_count) < MOST_THREADS
    assert watch.most(lambda reading: reading.log_bytes) < MOST_LOG_BYTES


def in_words(watch: Watch) -> str:
    """Tell what the meters showed."""
    growth = watch.growth(lambda reading: reading.memory_bytes) / MEBIBYTE
    return (
        f"memory {growth:+.1f} MiB after the warm-up, "
        f"{watch.most(lambda reading: reading.memory_bytes) / MEBIBYTE:.0f} MiB at most, "
        f"{watch.most(lambda reading: reading.file_count)} files, "
        f"{watch.most(lambda reading: reading.thread_count)} threads, "
        f"log {watch.most(lambda reading: reading.log_bytes) / MEBIBYTE:.0f} MiB"
    )
