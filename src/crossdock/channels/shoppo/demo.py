"""The demo's partner."""

from crossdock.channels.contract import Demo, DemoPartner

# Known to everybody, and good for the demo alone.
TEST_TOKEN = "demoShoppoAccessToken0123456789abcdef"  # nosec B105


def _show(key: str, secret: str) -> dict[str, object]:
    return {"viewerid": key, "accesstoken": secret}


def list_products(*, command: str) -> str:
    """A shell command that lists products of the demo; `command` starts crossdock."""
    return (
        f'eval "$({command} demo credentials --shell)"\n'
        'curl -sS "$base_url/api/graphql/partner" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        '  -H "accesstoken: $shoppo_accesstoken" -H "viewerid: $shoppo_viewerid" \\\n'
        """  --data '{"query": "{ productList(first: 3) { length edges { node { id name } } } }"}'\n"""
    )


def _requests(command: str, _variant_id: int) -> list[tuple[str, str]]:
    return [("List products", list_products(command=command))]


DEMO = Demo(
    partners=(DemoPartner(name="Demo drop shipper", token=TEST_TOKEN),),
    show=_show,
    requests=_requests,
)
