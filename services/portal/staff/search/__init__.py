"""One box that finds candidates by anything."""
