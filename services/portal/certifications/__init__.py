"""What the candidate holds: all of it on one axis, and one of them with its reasons."""
