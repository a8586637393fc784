"""Vendors coming aboard: their credentials, dry runs, and what became of everything they have sent."""
