"""Commands: shops, and goods in and out."""
