"""Everything that identity knows of a candidate, for staff who help one."""
