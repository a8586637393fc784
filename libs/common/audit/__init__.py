"""The audit log: records chained by hash in a database that a service may only append to, and seals of their heads."""
