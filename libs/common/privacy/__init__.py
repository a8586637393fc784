"""What every service does for people's rights: it says what it holds about one, erases it, and forgets in time."""
