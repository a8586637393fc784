"""Challenges of results, and rulings of staff: opened by candidates or by nobody, decided by as many as it takes."""
