"""How names are written."""

import pytest

from libs.common.native_names import in_own_script


@pytest.mark.parametrize(
    ("given", "family", "shown"),
    [
        ("太郎", "山田", "山田 太郎"),
        ("민수", "김", "김 민수"),
        ("さくら", "高橋", "高橋 さくら"),
        ("Иван", "Иванов", "Иван Иванов"),
        ("علي", "حسن", "علي حسن"),
        ("Åsa", None, "Åsa"),
        (None, "王", "王"),
        (None, None, None),
    ],
)
def test_name_in_its_own_script_has_the_order_of_that_script(
    given: str | None, family: str | None, shown: str | None
) -> None:
    assert in_own_script(given, family) == shown
