"""Imported first where a process imports much: nothing is collected until `collect_again`.

Collections take a quarter of the processor time of a start, and find nothing. structlog imports rich where it
is installed, for tracebacks in colour, which takes a tenth more; commands that draw tables import it themselves.
"""

import gc
import sys

gc.disable()
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # what is None cannot be imported
    import structlog  # noqa: F401

    del sys.modules["rich"]


def collect_again() -> None:
    """All is imported; what there is now stays for ever and is not looked at again."""
    gc.freeze()
    gc.enable()
