"""How staff come in: always with a password and a code, into one program at a time."""
