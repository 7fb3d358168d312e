"""Pages for browsers: landing page, guides, API reference. No inline scripts, no CDN."""

from crossdock.web.app import Door, Site
from crossdock.web.console import IMPORTS as UPLOADS

__all__ = ["UPLOADS", "Door", "Site"]
