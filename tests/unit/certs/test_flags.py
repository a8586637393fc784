"""Every flag is explained to those who read it."""

from pathlib import Path

from services.certs.domain import flags

GUIDE = (Path(__file__).parents[3] / "docs" / "programs.md").read_text(encoding="utf-8")


def test_every_flag_stands_in_the_guide() -> None:
    names = {value for name, value in vars(flags).items() if name.isupper()}
    assert {name for name in names if f"| `{name}` |" not in GUIDE} == set()
