"""Staff: who works for which programs, in which roles, and how they enter."""
