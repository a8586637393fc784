"""Certs: what each candidate holds, derived from dated facts by the program's policy."""
