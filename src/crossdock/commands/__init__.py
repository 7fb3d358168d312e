"""The sub-commands of `crossdock`, one module each; `cli` only assembles them."""
