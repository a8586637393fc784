"""The pages for candidates, over the APIs of the services."""
