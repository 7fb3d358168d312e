"""The console: pages for signed-in people of a shop and its partners. Works without JavaScript."""

from crossdock.web.console.app import CONSOLE_TEMPLATES, Console
from crossdock.web.console.imports import IMPORTS
from crossdock.web.console.product_editing import PICTURES

__all__ = ["CONSOLE_TEMPLATES", "IMPORTS", "PICTURES", "Console"]
