"""Transcripts: what a candidate chooses to show to whoever has a link, and the pages that show it."""
