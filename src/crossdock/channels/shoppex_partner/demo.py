"""The demo's wholesale partners: two alike, one of them with backorder."""

from crossdock.channels.contract import Demo, DemoPartner
from crossdock.channels.shoppex_partner import snippets
from crossdock.shop.customers import Address

CUSTOMER = Address(
    first_name="Robin",
    last_name="Calloway",
    company="Calloway Stores",
    email="robin@calloway.example",
    phone="+1 305 555 0142",
    address_1="12 Harbor Walk",
    city="Miami",
    state="FL",
    postcode="33132",
    country="US",
)

TWIN_CUSTOMER = Address(
    first_name="Jules",
    last_name="Okafor",
    company="Okafor Supply",
    email="jules@okafor.example",
    phone="+1 312 555 0176",
    address_1="480 Wabash Row",
    address_2="Floor 3",
    city="Chicago",
    state="IL",
    postcode="60605",
    country="US",
)


def _show(key: str, secret: str) -> dict[str, object]:
    return {"key": key, "secret": secret}


def _requests(command: str, variant_id: int) -> list[tuple[str, str]]:
    return [
        ("List the products", snippets.list_products(command=command)),
        ("Place an order", snippets.create_order(command=command, product_id=variant_id)),
    ]


DEMO = Demo(
    partners=(
        DemoPartner(name="Demo partner", customer=CUSTOMER),
        DemoPartner(
            name="Demo partner with backorder",
            prefix="backorder_",
            backorder=True,
            customer=TWIN_CUSTOMER,
        ),
    ),
    show=_show,
    requests=_requests,
)
