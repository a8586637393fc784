"""Seals of all services' audit logs, kept where none of the others can reach them."""
