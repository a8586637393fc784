"""The gateway's pages: a start page, the reference of APIs and bus, the guides. Static HTML without outside assets.

`python -m deploy.gateway.reference --out FOLDER` writes them; the local platform does so at every start.
"""

from deploy.gateway.reference.site import write_site

__all__ = ["write_site"]
