"""What somebody of staff has taken."""
