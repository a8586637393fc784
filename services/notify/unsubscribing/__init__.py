"""The way out of news by one click (RFC 8058)."""
