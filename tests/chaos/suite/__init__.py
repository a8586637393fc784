"""The chaos suite: the whole platform on clusters, under load, while everything around it breaks. `make chaos`."""
