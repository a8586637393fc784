"""The portal in a real browser, over the whole platform. All files here share one stage."""
