"""A vendor's list of registrations compared with ours: what is missing here or there, what differs, and what we do."""
