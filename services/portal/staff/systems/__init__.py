"""Systems that ask the services by themselves."""
