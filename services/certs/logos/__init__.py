"""Logos with which people show that they hold a certification."""
