"""Badges kept by a provider as well: what it is told, what it says, and how the two are compared."""
