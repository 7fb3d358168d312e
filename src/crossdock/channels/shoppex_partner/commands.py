"""`crossdock partner explain` and `sign`: help for partners who are implementing the signature.

Both work for test credentials only and never print a secret; `explain` never prints a correct
signature either.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.channels.shoppex_partner.raw_requests import RawRequest, parse_request
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid, NotFound
from crossdock.terminal import CommandLine, JsonOption, read_input, report

if TYPE_CHECKING:
    from crossdock.channels.shoppex_partner.explain import Explanation
    from crossdock.shop.partners import Signatures

BodyOption = Annotated[
    Path | None, typer.Option("--body", help="File with the raw body; - reads standard input.")
]
MethodOption = Annotated[str, typer.Option("--method", help="GET (products) or POST (order).")]
app = typer.Typer()
_MARKS = {"passed": "✓", "failed": "✗", "skipped": "-"}


class SignedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A signed request, for programs and for a shell."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    curl: str


@app.command()
def explain(
    context: typer.Context,
    method: MethodOption = "",
    key: Annotated[str, typer.Option(help="X-Shoppex-Key as sent.")] = "",
    timestamp: Annotated[str, typer.Option(help="X-Shoppex-Timestamp as sent.")] = "",
    nonce: Annotated[str, typer.Option(help="X-Shoppex-Nonce as sent.")] = "",
    signature: Annotated[str, typer.Option(help="X-Shoppex-Signature as sent.")] = "",
    body: BodyOption = None,
    request: Annotated[
        Path | None,
        typer.Option(help="File with the whole request, raw or as curl -v shows it; - for stdin."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how the server verifies a signed request, and which check fails.

    Read-only: the nonce stays unused. Exit code 0 if the request would be accepted now.
    """
    raw = parse_request(read_input(request)) if request else RawRequest()
    raw = raw.with_changes(
        method=method,
        headers={"key": key, "timestamp": timestamp, "nonce": nonce, "signature": signature},
        body=read_input(body) if body else None,
    )
    line: CommandLine = context.obj
    explanation = line.with_runtime(lambda runtime: _explain(runtime, raw))
    report(explanation, as_json=as_json, text=lambda: _print(explanation, raw=raw))
    raise typer.Exit(0 if explanation.accepted else 1)


@app.command()
def sign(
    context: typer.Context,
    key: Annotated[str, typer.Option(help="The key of a test credential.")],
    method: MethodOption = "GET",
    body: BodyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a signed request as a curl command; it is valid once, within five minutes."""
    content = read_input(body) if body else b""
    if as_json and not _is_text(content):
        raise Invalid("invalid_input", "The body is not UTF-8.")
    line: CommandLine = context.obj
    url = line.base_url()
    signed = line.with_runtime(
        lambda runtime: _sign(runtime, key=key, method=method.upper(), body=content, url=url)
    )
    report(signed, as_json=as_json, text=signed.curl)


async def _explain(runtime: Runtime, raw: RawRequest) -> "Explanation":
    from crossdock.channels.shoppex_partner.explain import Explainer, SignedRequest
    from crossdock.channels.shoppex_partner.settings import ShoppexPartnerSettings

    _check_method(raw.method)
    signatures = _signatures(runtime)
    explainer = Explainer(
        runtime.database,
        signatures,
        clock=runtime.clock,
        settings=runtime.settings.section(ShoppexPartnerSettings),
    )
    headers = {name: raw.header(name) for name in ("key", "timestamp", "nonce", "signature")}
    return await explainer.explain(SignedRequest(method=raw.method, body=raw.body, **headers))


async def _sign(runtime: Runtime, *, key: str, method: str, body: bytes, url: str) -> SignedCommand:
    from crossdock.channels.shoppex_partner.signing import sign_request
    from crossdock.kit.ids import RandomIds

    _check_method(method)
    credential = await _signatures(runtime).peek(key)
    if credential is None or not credential.is_test:
        raise NotFound("not_found", f"{key!r} is not an enabled test credential.")
    signed = sign_request(
        key=key,
        secret=max(credential.secrets, key=lambda secret: secret.id).value,
        method=method,
        timestamp=int(runtime.clock.now().timestamp()),
        nonce=RandomIds().random_token(24),
        body=body,
    )
    text = body.decode("utf-8", "surrogateescape")
    words = ["curl", "-sS", "-X", method, url + signed.path]
    for name, value in signed.headers.items():
        words += ["-H", f"{name}: {value}"]
    if text:
        words += ["--data-binary", text]
    return SignedCommand(
        method=method,
        url=url + signed.path,
        headers=signed.headers,
        body=text,
        curl=" ".join(map(shlex.quote, words)),
    )


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _signatures(runtime: Runtime) -> "Signatures":
    from crossdock.channels.shoppex_partner import NAME
    from crossdock.compose import Services
    from crossdock.shop.partners import Signatures

    return Signatures(Services(runtime).create_callers(NAME))


def _check_method(method: str) -> None:
    if method not in {"GET", "POST"}:
        raise Invalid("invalid_input", f"The method must be GET or POST, not {method or 'empty'}.")


def _print(explanation: "Explanation", *, raw: RawRequest) -> None:
    from crossdock.channels.shoppex_partner.app import PREFIX
    from crossdock.channels.shoppex_partner.explain import ROUTES

    typer.echo("The server signs this message (five lines, no newline at the end):\n")
    for line in explanation.canonical_message.split("\n"):
        typer.echo(f"  {line}")
    typer.echo(f"\nSHA-256 of the {len(raw.body)} body bytes: {explanation.body_sha256}\n")
    for check in explanation.checks:
        code = f" [{check.code}]" if check.code else ""
        typer.echo(f"  {_MARKS[check.outcome]} {check.name:11}{check.detail}{code}")
    expected = PREFIX + ROUTES[raw.method]
    if raw.path and raw.path.rstrip("/") != expected:
        typer.echo(f"  ✗ path       the request went to {raw.path}; {raw.method} is at {expected}")
    for hint in explanation.hints:
        typer.echo(f"\nHint: {hint}")
    typer.echo(
        "\nThis request would be accepted."
        if explanation.accepted
        else "\nThis request would be refused."
    )
