"""Messages that a service could not handle: looked at, tried again or dropped, by whoever may."""
