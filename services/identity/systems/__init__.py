"""Systems: programs of other people that enter by client credentials (RFC 6749, 4.4)."""
