"""Our OpenID provider, for one purpose: that a vendor knows who comes to it from us (OpenID Connect Core 1.0)."""
