"""One search for staff: ids, addresses for mail and names, also misspelt ones."""
