"""Backups of the databases: copies of one moment, the changes since, and the way back to any moment between."""
