"""What is held about the candidate: a copy of all of it, and its end."""
