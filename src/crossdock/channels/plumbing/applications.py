"""Builds a channel's application and its exception handlers."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from crossdock.channels.contract import Answer
from crossdock.errors import CrossdockError

RenderError = Callable[[CrossdockError, str], Answer]


def quiet_app(*, title: str, version: str, description: str) -> FastAPI:
    """An application without the framework's own documentation pages and routes."""
    return FastAPI(
        title=title,
        version=version,
        description=description,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )


def answering(answer: Answer) -> Response:
    """The answer as a Starlette response."""
    return Response(
        answer.body,
        status_code=answer.status,
        headers=answer.headers,
        media_type=answer.content_type,
    )


def refusing(
    render_error: RenderError, error_of: Callable[[Exception], CrossdockError] | None = None
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """An exception handler; `error_of` maps a foreign exception to a core error."""

    async def refuse(request: Request, error: Exception) -> Response:
        told = error_of(error) if error_of else error
        assert isinstance(told, CrossdockError)  # registered for this class only
        return answering(render_error(told, request.method))

    return refuse
