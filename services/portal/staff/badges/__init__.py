"""The badge provider: how the exchange with it goes, and badges that wait for a person."""
