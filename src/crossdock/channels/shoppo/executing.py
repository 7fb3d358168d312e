"""Runs operations: by their plan, else by GraphQL's own executor."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphql import ExecutionResult, GraphQLError, execute
from graphql.execution.values import VariableValues, get_variable_values

from crossdock.channels.plumbing import Told
from crossdock.channels.shoppo.completing import Unplanned
from crossdock.channels.shoppo.documents import Document, Documents, Invalid, Operation
from crossdock.channels.shoppo.errors import WireError, failure, located_all
from crossdock.channels.shoppo.limits import TIME_MAX_S
from crossdock.channels.shoppo.lists import with_lists
from crossdock.channels.shoppo.requests import Asked
from crossdock.channels.shoppo.schema import Served
from crossdock.channels.shoppo.subjects import Call
from crossdock.channels.shoppo.wire import encode
from crossdock.errors import CrossdockError, Unavailable


class Executing:
    """Executes what callers ask."""

    def __init__(self, served: Served, documents: Documents) -> None:
        self._served = served
        self._documents = documents

    async def run(self, call: Call, asked: Asked) -> bytes:
        """The body of the answer, with `data`. Raises what `answer` does."""
        return (await self.answer(call, asked)).body

    async def answer(self, call: Call, asked: Asked) -> Told:
        """The answer.

        Raises Invalid where the document or its variables cannot be run, WireError for an operation
        that is too large, unknown or too slow, and Unavailable.
        """
        document = self._documents.read(asked.query)
        operation = self._documents.operation(document, asked.operation_name)
        given = with_lists(self._served.schema, operation.node, asked.variables)
        variables = self._variables(operation, given)
        operation.cost(variables.coerced)
        try:
            async with asyncio.timeout(TIME_MAX_S):
                return await self._answer(call, document, operation, given, variables)
        except TimeoutError:
            raise WireError(
                "TIMEOUT",
                f"The operation took more than {TIME_MAX_S} s.",
                status=503,
                limit=TIME_MAX_S,
            ) from None

    def _variables(self, operation: Operation, given: Mapping[str, Any]) -> VariableValues:
        found = get_variable_values(
            self._served.schema,
            operation.node.variable_definitions or (),
            dict(given),
            max_errors=10,
        )
        if isinstance(found, list):
            raise Invalid(found, code="BAD_USER_INPUT")
        return found

    async def _answer(
        self,
        call: Call,
        document: Document,
        operation: Operation,
        given: dict[str, Any],
        variables: VariableValues,
    ) -> Told:
        if plan := operation.plan:
            try:
                body = encode({"data": await plan.run(call, variables)})
                return Told(body, is_of_goods=plan.is_of_goods)
            except Unplanned as unplanned:
                call = replace(call, done=unplanned.done)
            except GraphQLError:
                pass
            except CrossdockError as error:
                if isinstance(error, Unavailable):
                    raise
        return Told(_body(await self._execute(call, document, operation, given)))

    async def _execute(
        self, call: Call, document: Document, operation: Operation, given: dict[str, Any]
    ) -> ExecutionResult:
        name = operation.node.name
        result = execute(
            self._served.schema,
            document.node,
            context_value=call,
            variable_values=given,
            operation_name=name.value if name else None,
        )
        if isinstance(result, ExecutionResult):
            return result
        return await result


def _body(result: ExecutionResult) -> bytes:
    """Raises what a field failed by that is no refusal: it is logged and answered as it is without GraphQL."""
    errors = result.errors or []
    for error in errors:
        if cause := failure(error):
            raise cause
    if not errors:
        return encode({"data": result.data})
    return encode({"data": result.data, "errors": located_all(errors, code="BAD_USER_INPUT")})
