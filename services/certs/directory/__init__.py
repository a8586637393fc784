"""A program's public directory: those who hold certifications and want to be found."""
