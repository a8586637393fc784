"""What all that staff decide for a candidate has in common: opinions, messages both ways, history and evidence."""
