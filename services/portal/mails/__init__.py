"""Every mail that was sent, so that a surprising one can be checked."""
