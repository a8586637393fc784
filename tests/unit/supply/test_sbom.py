"""Bills of materials hold what the lock files hold, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.supply.locked import IMAGES, packages
from deploy.supply.sbom import bill, bills

LOCK = """\
one==1.0 \\
    --hash=sha256:00
    # via -r requirements/common.in
Two_Parts==2.1 ; sys_platform == 'nowhere' \\
    --hash=sha256:00
    # via
    #   -r requirements/common.in
    #   one[extra]
"""


@pytest.fixture(scope="module")
def made_bills() -> dict[str, Any]:
    return bills()


def test_lock_file_says_what_is_needed_by_what_and_where(tmp_path: Path) -> None:
    (tmp_path / "common.txt").write_text(LOCK)
    one, two = packages("common", folder=tmp_path)
    assert (one.purl, one.here, one.wanted_by) == ("pkg:pypi/one@1.0", True, set())
    assert (two.purl, two.here, two.wanted_by) == ("pkg:pypi/two-parts@2.1", False, {"one"})


def test_two_versions_in_one_image_are_refused(tmp_path: Path) -> None:
    (tmp_path / "common.txt").write_text(LOCK)
    (tmp_path / "certs.txt").write_text(LOCK.replace("==1.0", "==1.1"))
    with pytest.raises(ValueError, match=r"one is 1\.0 and 1\.1"):
        packages("common", "certs", folder=tmp_path)


@pytest.mark.parametrize("image", IMAGES)
def test_bill_lists_each_locked_package_and_what_needs_it(image: str, made_bills: dict[str, Any]) -> None:
    made = made_bills[image]
    locked = {one.purl for one in packages(*IMAGES[image]) if one.here}
    listed = [component["bom-ref"] for component in made["components"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == locked
    assert all(component["licenses"] for component in made["components"])
    refs = {one["ref"] for one in made["dependencies"]}
    wanted = {name for one in made["dependencies"] for name in one["dependsOn"]}
    assert refs == locked | {f"certrail/{image}"}
    assert wanted == locked


def test_same_locks_make_the_same_bill_and_other_locks_another() -> None:
    locked = packages("common")
    assert json.dumps(bill("exams", locked, "1")) == json.dumps(bill("exams", packages("common"), "1"))
    assert bill("exams", locked, "1")["serialNumber"] != bill("exams", locked[1:], "1")["serialNumber"]
