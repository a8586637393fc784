"""The keys that sign access tokens: kept encrypted in the database, changed without a restart."""
