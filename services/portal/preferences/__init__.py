"""How the candidate wants to be spoken and written to."""
