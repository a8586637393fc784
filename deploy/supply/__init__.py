"""What we ship, and where it comes from: licences, bills of materials, and secrets that must not be in it."""
