"""The console: pages for the people of a shop and its partners, behind a sign-in. Works without JavaScript."""

from crossdock.web.console.app import CONSOLE_TEMPLATES, Console

__all__ = ["CONSOLE_TEMPLATES", "Console"]
