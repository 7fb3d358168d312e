"""What the tests of create-order share: an order by hand, a refusal in shape, what was stored."""

PAYLOAD, ITEMS = "partner_invalid_payload", "partner_missing_items"
NUMBER, QUANTITY = "partner_missing_id_order_partner", "partner_invalid_quantity"
NOT_FOUND = "partner_product_not_found"
EXISTS = "partner_order_already_exists"


def assert_refused(reply, status: int, code: str) -> dict:
    """A refusal in both published shapes at once; the document."""
    assert (reply.status_code, reply.json().get("code")) == (status, code), reply.text
    document = reply.json()
    assert list(document)[:3] == ["success", "code", "message"]
    assert document["success"] is False
    assert document["message"]
    assert document["data"]["status"] == status
    assert reply.headers["content-type"] == "application/json; charset=UTF-8"
    return document


def raw_order(product, *, quantity: str = "1", number: str = '"X"', more: str = "") -> bytes:
    """An order of one line, written as JSON by hand."""
    items = f'[{{"product_id":{product},"quantity":{quantity}}}]'
    return f'{{"items":{items},"id_order_partner":{number}{more}}}'.encode()


async def stored(database, reply) -> dict:
    assert reply.status_code == 201, reply.text
    async with database.statement() as tx:
        return await tx.value(
            "select to_jsonb(o) || jsonb_build_object('lines', (select jsonb_agg(to_jsonb(l) order by l.line_no)"
            " from order_lines l where l.order_id = o.id)) from orders o where o.id = %s",
            (reply.json()["order_id"],),
        )
