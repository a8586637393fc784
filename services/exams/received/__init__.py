"""What was taken in from vendors, found again by whatever id somebody has of it."""
