"""A bill of materials is made of what is installed, and names every package of it."""

import json
import subprocess

import pytest
from installed.environments import ROOT, environment
from packaging.utils import canonicalize_name

LIMIT_SECONDS = 60


@pytest.mark.check("I02")
def test_a_bill_of_materials_names_what_is_installed() -> None:
    tool, application = environment("cyclonedx-bom"), environment(extras="app")

    made = subprocess.run(
        [
            *(tool, "-m", "cyclonedx_py", "environment"),
            *("--pyproject", ROOT / "pyproject.toml", "--output-reproducible", application),
        ],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )

    assert made.returncode == 0, made.stderr
    bill = json.loads(made.stdout)
    listed = {f"{canonicalize_name(one['name'])}=={one['version']}" for one in bill["components"]}
    frozen = (application.parents[1] / "frozen.txt").read_text().split()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "webex-oauth"
    assert set(frozen) <= listed
    assert len(frozen) > 10
