"""What addresses must have, by country."""

import pytest

from services.identity.domain.addresses import NEEDED, lacking


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ({"country": "US"}, ["city", "region", "postal_code"]),
        ({"country": "US", "city": "A", "region": "B", "postal_code": "C"}, []),
        ({"country": "SE", "city": "A", "region": None, "postal_code": ""}, ["postal_code"]),
        ({"country": "HK", "region": "Kowloon"}, []),
        ({"country": "SG", "city": "Singapore"}, ["postal_code"]),
        ({"country": "XX"}, ["city"]),
    ],
)
def test_lacking_fields_of_an_address(address: dict[str, str | None], fields: list[str]) -> None:
    assert lacking(address) == fields


def test_table_names_fields_of_an_address() -> None:
    assert len(NEEDED) >= 30
    assert {name for names in NEEDED.values() for name in names} == {"city", "region", "postal_code"}
