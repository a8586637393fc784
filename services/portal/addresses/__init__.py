"""Postal addresses: countries, and what an address is made of there."""
