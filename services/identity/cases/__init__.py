"""Support cases: what candidates ask staff to change, with evidence, messages and decisions."""
