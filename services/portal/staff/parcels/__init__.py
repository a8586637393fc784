"""Parcels that came back, and all orders of a program."""
