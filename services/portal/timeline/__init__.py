"""The picture of what is held over time. Pure: days in, places out."""
