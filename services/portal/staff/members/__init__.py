"""Who works for the program, in which roles."""
