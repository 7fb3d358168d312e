"""The console: pages for the people of a shop, behind a sign-in. Works without JavaScript."""

from crossdock.web.console.app import CONSOLE_TEMPLATES, Console
from crossdock.web.console.gate import Gate, SignInNeeded

__all__ = ["CONSOLE_TEMPLATES", "Console", "Gate", "SignInNeeded"]
