"""Pictures of the pages, for the guides: `make gallery`."""
