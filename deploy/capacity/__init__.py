"""How many machines a platform needs: from what `make bench` has measured, and what is expected of it."""
