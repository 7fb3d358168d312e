"""Commands: shops, import and export."""
