"""The HTTP surface of every service on a real database: one of everything in it, and anybody to ask it."""
