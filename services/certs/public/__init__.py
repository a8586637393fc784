"""What anybody may read: where it is to be found, and by which codes."""
