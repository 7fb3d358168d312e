"""The demo's publisher, with the test token and the test log-in of the published guide (seeds/003)."""

from crossdock.channels.contract import Demo, DemoPartner

# Published, and good for the demo alone.
TEST_TOKEN = "Kolu72V3T3eFplHNe66e8aef90aba018"  # nosec B105
TEST_USER = "TEST"
TEST_PASSWORD = "Test1234@!*&"  # nosec B105
CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"


def _show(key: str, secret: str) -> dict[str, object]:
    return {
        "key": key,
        "token": secret,
        "order_user_id": TEST_USER,
        "order_password": TEST_PASSWORD,
        "card_number": CARD,
        "declined_card_number": DECLINED_CARD,
    }


def search(*, command: str) -> str:
    """A shell command that searches the demo's catalogue; `command` starts crossdock."""
    return (
        f'eval "$({command} demo credentials --shell)"\n'
        'curl -sS "$base_url/v3/catalog/?search=steel+lamp&rows=3" \\\n'
        '  -H "Authorization: Bearer $shoppable_token"\n'
    )


def _requests(command: str, _variant_id: int) -> list[tuple[str, str]]:
    return [("Search the catalogue", search(command=command))]


DEMO = Demo(
    partners=(
        DemoPartner(
            name="Demo publisher",
            token=TEST_TOKEN,
            user_name=TEST_USER,
            password=TEST_PASSWORD,
        ),
    ),
    show=_show,
    requests=_requests,
)
