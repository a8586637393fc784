"""Addresses for mail: when two of them are one mailbox."""


def is_same_mailbox(one: str, two: str) -> bool:
    """Whether both are one mailbox for sure.

    Only ASCII letters may differ in case. What looks alike, or is equal once it is folded, can be the mailbox of
    somebody else, who may well have it verified: `straße@…` and `strasse@…`.
    """
    return one.strip().encode().lower() == two.strip().encode().lower()
