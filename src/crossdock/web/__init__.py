"""Pages for browsers: landing page, guides, API reference. No inline scripts, no CDN."""

from crossdock.web.app import Door, Site
from crossdock.web.console import IMPORTS as UPLOADS
from crossdock.web.console import PICTURES

__all__ = ["PICTURES", "UPLOADS", "Door", "Site"]
