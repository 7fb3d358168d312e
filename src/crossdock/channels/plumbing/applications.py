"""A channel's application, and how it refuses in the channel's own words."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from crossdock.channels.contract import Answer
from crossdock.errors import CrossdockError

RenderError = Callable[[CrossdockError, str], Answer]


def quiet_app(*, title: str, version: str, description: str) -> FastAPI:
    """An application that answers what it was given and nothing else: no pages of the framework."""
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
    """The answer as a response."""
    return Response(
        answer.body,
        status_code=answer.status,
        headers=answer.headers,
        media_type=answer.content_type,
    )


def refusing(
    render_error: RenderError, error_of: Callable[[Exception], CrossdockError] | None = None
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """A handler of exceptions; `error_of` says which error stands for one that is none of ours."""

    async def refuse(request: Request, error: Exception) -> Response:
        told = error_of(error) if error_of else error
        assert isinstance(told, CrossdockError)  # registered for this class only
        return answering(render_error(told, request.method))

    return refuse
