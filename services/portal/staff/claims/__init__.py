"""Claims of courses and credits, and reports that wait for a person."""
