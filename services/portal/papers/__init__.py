"""Public pages about the portal itself, and the choice of a language before somebody has signed in."""
