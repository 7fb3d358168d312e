"""The demo's publisher, with the test token of the published guide (seeds/003, step 1)."""

from crossdock.channels.contract import Demo, DemoPartner

TEST_TOKEN = "Kolu72V3T3eFplHNe66e8aef90aba018"  # nosec B105: published, and good for the demo alone


def _show(key: str, secret: str) -> dict[str, object]:
    return {"key": key, "token": secret}


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
    partners=(DemoPartner(name="Demo publisher", token=TEST_TOKEN),),
    show=_show,
    requests=_requests,
)
