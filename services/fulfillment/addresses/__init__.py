"""Addresses: what a country's needs, whether a parcel can go there, and how it is printed."""
