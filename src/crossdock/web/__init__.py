"""Pages for browsers: landing page, guides, API reference. No inline scripts, no CDN."""

from crossdock.web.app import Door, Site

__all__ = ["Door", "Site"]
