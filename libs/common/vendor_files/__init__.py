"""Files exchanged with vendors: who their servers are, how files are called and written, carried, and answered."""
