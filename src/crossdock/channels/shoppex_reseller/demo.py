"""The demo's merchant."""

from crossdock.channels.contract import Demo, DemoPartner

# Known to everybody, and good for the demo alone.
TEST_KEY = "shx_demoMerchantKey0123456789abcdefgh"  # nosec B105


def _show(key: str, secret: str) -> dict[str, object]:
    return {"key": key, "api_key": secret}


def read_me(*, command: str) -> str:
    """A shell command that reads the demo's shop; `command` starts crossdock."""
    return (
        f'eval "$({command} demo credentials --shell)"\n'
        'curl -sS "$base_url/dev/v1/me" -H "Authorization: Bearer $shoppex_reseller_api_key"\n'
    )


def _requests(command: str, _variant_id: int) -> list[tuple[str, str]]:
    return [("Read the shop of a merchant's key", read_me(command=command))]


DEMO = Demo(
    partners=(DemoPartner(name="Demo merchant", token=TEST_KEY),),
    show=_show,
    requests=_requests,
)
