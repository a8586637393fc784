"""Parsers of what others have written, fed with bytes that nobody wrote: `make fuzz`."""
