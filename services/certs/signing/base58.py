"""Base58 as Bitcoin writes it, which multibase marks with `z` (W3C Controlled Identifiers 1.0, 2.4)."""

from typing import Final

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {sign: value for value, sign in enumerate(_ALPHABET)}
_MARK: Final = "z"


def multibase(content: bytes) -> str:
    """Bytes as text, marked as base58."""
    number = int.from_bytes(content)
    signs = ""
    while number:
        number, rest = divmod(number, len(_ALPHABET))
        signs = _ALPHABET[rest] + signs
    zeros = len(content) - len(content.lstrip(b"\0"))
    return _MARK + _ALPHABET[0] * zeros + signs


def read_multibase(text: str, *, longest: int) -> bytes:
    """The bytes that `multibase` has written. Raises `ValueError` for other text, and for far more than `longest`."""
    if not text.startswith(_MARK) or len(text) > 2 * longest + 1:
        raise ValueError("not multibase in base58")
    signs = text[1:]
    number = 0
    for sign in signs:
        if sign not in _VALUES:
            raise ValueError("not base58")
        number = number * len(_ALPHABET) + _VALUES[sign]
    zeros = len(signs) - len(signs.lstrip(_ALPHABET[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)
