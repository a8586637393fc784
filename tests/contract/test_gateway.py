"""The gateway's limits: the same on this machine, in the image and in the guide."""

import re
from pathlib import Path

import pytest

from deploy.gateway.nginx import FOLDER, Limits

PROJECT = Path(__file__).parents[2]
DOCKERFILE = (PROJECT / "deploy" / "images" / "Dockerfile").read_text()
GUIDE = (PROJECT / "docs" / "operators.md").read_text()
BURSTS = dict(re.findall(r"limit_req zone=(\w+) burst=(\d+)", (FOLDER / "limited.conf").read_text()))


@pytest.mark.parametrize("variable", sorted(Limits().values()))
def test_limit_is_the_same_here_in_the_image_and_in_the_guide(variable: str) -> None:
    rate, burst = Limits().values()[variable], BURSTS[variable.removeprefix("LIMIT_").lower()]
    assert f" {variable}={rate} " in DOCKERFILE
    assert f"| `{variable}` | `{rate}` | {burst} |" in GUIDE


def test_every_placeholder_of_the_templates_is_given_in_the_image_or_by_the_compose_file() -> None:
    given = DOCKERFILE + (PROJECT / "docker-compose.yml").read_text()
    for template in FOLDER.glob("*.template"):
        for name in re.findall(r"\$\{([A-Z_]+)\}", template.read_text()):
            assert re.search(rf"\b{name}[=:]", given), name


def test_each_location_with_headers_of_its_own_repeats_those_of_all_answers() -> None:
    """nginx inherits all of them or none."""
    template = (FOLDER / "nginx.conf.template").read_text()
    for location in re.findall(r"location [^\n]+\{\n(.*?)\n        \}", template, re.DOTALL):
        assert "add_header" not in location or "headers.conf;" in location
