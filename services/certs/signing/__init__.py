"""How credentials are signed, with which keys, and how the public halves of these are published."""
