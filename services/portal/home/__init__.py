"""The first page: what is true, and what is next."""
