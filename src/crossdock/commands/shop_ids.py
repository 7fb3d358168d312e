"""The shop that an operator names by its slug."""

from crossdock.db.unit_of_work import Transaction


async def shop_id_of(tx: Transaction, slug: str) -> int:
    """Its number. Raises NotFound `not_found`."""
    from crossdock.shop.shops import read_shop

    return (await read_shop(tx, slug=slug)).id
