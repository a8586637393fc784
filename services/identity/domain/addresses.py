"""What an address must have, country by country, beside its lines and its country.

Kept by hand after the countries' own posts; one that is not in the table needs a city. What a carrier accepts is for
whoever ships to say.
"""

from collections.abc import Mapping
from typing import Any

_CITY = ("city",)
_CODE = ("city", "postal_code")
_ALL = ("city", "region", "postal_code")

NEEDED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("AU", "BR", "CA", "CN", "ES", "IN", "IT", "JP", "KR", "MX", "RU", "TW", "US"), _ALL),
    **dict.fromkeys(("AT", "BE", "BG", "CH", "CZ", "DE", "DK", "EE", "FI", "FR", "GB", "GR", "HR", "HU", "LT"), _CODE),
    **dict.fromkeys(("LU", "LV", "MY", "NL", "NO", "NZ", "PL", "PT", "RO", "SE", "SI", "SK", "TR", "UA", "ZA"), _CODE),
    **dict.fromkeys(("AR", "CL", "EG", "IE", "IL", "KE", "NG", "PE", "PH", "SA", "TH", "VN"), _CITY),
    **dict.fromkeys(("CO", "ID"), ("city", "region")),
    "SG": ("postal_code",),
    "HK": ("region",),
    "AE": ("region",),
}
"""By ISO 3166-1 alpha-2; the names are those of an address's fields."""


def lacking(address: Mapping[str, Any]) -> list[str]:
    """The fields that an address of its country must have and that are empty."""
    needed = NEEDED.get(str(address["country"]), _CITY)
    return [name for name in needed if not address.get(name)]
