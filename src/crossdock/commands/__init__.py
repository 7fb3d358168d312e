"""The sub-commands of `crossdock`, in folders by subject; `cli` only assembles them."""
