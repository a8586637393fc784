"""What the program announces."""
