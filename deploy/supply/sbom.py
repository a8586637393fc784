"""Bills of materials of our images: `python -m deploy.supply.sbom FOLDER` (CycloneDX 1.6, JSON).

Made from the lock files, whose hashes the images check, so that the same locks give the same bytes.
"""

import argparse
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from deploy.supply.licences import licence_of
from deploy.supply.locked import IMAGES, PROJECT, Package, packages

SPEC_VERSION: Final = "1.6"


def bill(image: str, locked: Sequence[Package], version: str) -> dict[str, Any]:
    """The bill of an image: its packages, and which of them needs which."""
    ours = f"certrail/{image}"
    needs: dict[str, list[str]] = {ref: [] for ref in (ours, *(package.purl for package in locked))}
    by_name = {package.name: package.purl for package in locked}
    for package in locked:
        for name in package.wanted_by & by_name.keys() or {ours}:
            needs[by_name.get(name, ours)].append(package.purl)
    components = [_component(package) for package in locked]
    made_of = json.dumps([image, version, components], sort_keys=True)
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, made_of)}",
        "version": 1,
        "metadata": {"component": {"type": "container", "bom-ref": ours, "name": ours, "version": version}},
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": sorted(wanted)} for ref, wanted in sorted(needs.items())],
    }


def _component(package: Package) -> Mapping[str, Any]:
    licence = licence_of(package)
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        **({"licenses": [{"expression": licence}]} if licence else {}),
    }


def bills() -> dict[str, dict[str, Any]]:
    """The bill of every image, by its name."""
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    return {
        image: bill(image, [one for one in packages(*locks) if one.here], version) for image, locks in IMAGES.items()
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="deploy.supply.sbom", description="Writes a bill of materials for each image."
    )
    parser.add_argument("folder", type=Path, nargs="?", default=PROJECT / ".state" / "sbom")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for image, content in bills().items():
        path = folder / f"{image}.cdx.json"
        path.write_text(json.dumps(content, indent=2) + "\n")
        print(f"{path}: {len(content['components'])} packages")


if __name__ == "__main__":
    main()
