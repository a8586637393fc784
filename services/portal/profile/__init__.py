"""What the candidate tells of themselves, and what the program wants to know first."""
