"""`crossdock openapi`: a channel's OpenAPI document, without a database."""

import tempfile
from typing import Annotated

import typer

from crossdock.channels.registry import default_settings
from crossdock.errors import NotFound


def openapi(
    channel: Annotated[
        str, typer.Option(help="The channel's name, as `crossdock partner list` prints it.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print it on one line instead of indented.")
    ] = False,
) -> None:
    """Print a channel's OpenAPI document as JSON."""
    import orjson

    from crossdock.app import create_app

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(default_settings().having(data_dir=folder))
        documents = {each.name: each.openapi for each in app.channels if each.openapi}
        if channel not in documents:
            known = ", ".join(sorted(documents))
            raise NotFound(
                "not_found", f"There is no OpenAPI document of {channel!r}; choose from {known}."
            )
        layout = None if as_json else orjson.OPT_INDENT_2
        text = orjson.dumps(documents[channel](), option=layout)
    typer.echo(text)
