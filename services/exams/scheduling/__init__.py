"""The way to a test vendor and back: a signed sign-on that lasts for moments, and what became of it."""
