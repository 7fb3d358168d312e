"""What several channels do alike: their applications, refusals and pages."""

from crossdock.channels.plumbing.applications import answering, quiet_app, refusing
from crossdock.channels.plumbing.pages import Pages, page_headers

__all__ = ["Pages", "answering", "page_headers", "quiet_app", "refusing"]
