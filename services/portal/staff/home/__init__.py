"""The first page of staff, and their own account."""
