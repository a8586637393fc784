"""The rules in force, and dry runs of others."""
