"""Search strings at random, from pieces of Solr's syntax: most of them are broken."""

import random

CHARS = 512
PIECES = (
    *("red", "lamp", "AND", "OR", "NOT", "and", "AND__", "__", "TO", "brand:", "price:", "foo:"),
    *("*:*", "category:men", "id:", "upc:", "active:", "on_sale:true", "é", "\u0130", "1e9", " "),
    *("price:[1 TO 9]", "name:{a TO b]", '"red lamp"~3', "lamp~1", "rev*", "(red OR blue)", "^2"),
    *'+-!&|(){}[]^"~*?:/\\ _.,0123456789\x00\ud800\U0001f600',
)


def search_string(rng: random.Random) -> str:
    """One of up to 40 pieces, at times without a blank between them."""
    joint = rng.choice(("", "", " "))
    return joint.join(rng.choices(PIECES, k=rng.randint(1, 40)))[:CHARS]
