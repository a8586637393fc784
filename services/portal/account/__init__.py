"""What the candidate tells of themselves, and what they choose."""
