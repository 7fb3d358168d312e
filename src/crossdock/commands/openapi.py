"""`crossdock openapi`: a channel's OpenAPI document, without a database."""

import tempfile
from typing import Annotated

import typer

from crossdock.errors import NotFound
from crossdock.settings import Settings


def openapi(
    channel: Annotated[str, typer.Option(help="The channel's name, such as shoppex_partner.")],
) -> None:
    """Print a channel's OpenAPI document as JSON."""
    import orjson

    from crossdock.app import create_app

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=folder))
        documents = {each.name: each.openapi for each in app.channels if each.openapi}
        if channel not in documents:
            known = ", ".join(sorted(documents))
            raise NotFound("not_found", f"No channel {channel!r} has a document; known: {known}.")
        text = orjson.dumps(documents[channel](), option=orjson.OPT_INDENT_2)
    typer.echo(text)
