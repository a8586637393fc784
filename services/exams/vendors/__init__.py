"""What exams knows of the vendors: their definitions, and the secrets shared with them."""
