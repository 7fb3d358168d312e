"""The executor of this channel inside the test's own process, with its statements counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from crossdock.channels.shoppo.building import create_subjects
from crossdock.channels.shoppo.documents import Documents, Invalid
from crossdock.channels.shoppo.errors import WireError, located_all
from crossdock.channels.shoppo.executing import Executing
from crossdock.channels.shoppo.ids import ShopIds
from crossdock.channels.shoppo.requests import Asked
from crossdock.channels.shoppo.schema import Served, build_served
from crossdock.channels.shoppo.subjects import Call
from crossdock.channels.shoppo.wire import errors_body
from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import Clock
from crossdock.settings import Settings
from crossdock.shop.partners import read_credential
from tests.support.factories import box


@dataclass
class Inside:
    """Runs documents by plan and without."""

    served: Served
    planned: Executing
    plain: Executing
    documents: Documents
    call: Call
    database: Database
    statements: list[str] = field(default_factory=list)

    async def run(self, query: str, *, plans: bool = True, **variables: Any) -> bytes:
        """The body of the answer, or of the refusal."""
        executing = self.planned if plans else self.plain
        try:
            return await executing.run(self.call, Asked(query, variables, None))
        except Invalid as refused:
            return errors_body(located_all(refused.errors, code=refused.code))
        except WireError as refused:
            return errors_body([{"message": refused.message, "code": refused.code_shown}])

    async def admit(self) -> None:
        """Tell the version of the goods with the caller, as the statement that lets a call in does."""
        shop_id = self.call.partner.shop_id
        async with self.database.statement() as tx:
            version = await tx.value("select catalogue_version(%s)", (shop_id,))
        self.call = replace(self.call, goods_version=version)

    def has_plan(self, query: str) -> bool:
        """Whether a valid document has one."""
        return self.documents.operation(self.documents.read(query), None).plan is not None


@asynccontextmanager
async def opened(
    *, url: str, settings: Settings, clock: Clock, viewer: str
) -> AsyncIterator[Inside]:
    """The executor for the partner with this viewer id, on a pool of its own."""
    statements: list[str] = []

    async def note(query: str) -> None:
        statements.append(query)

    database = Database(url, min_size=1, max_size=2, hook=note)
    await database.open()
    services = Services(Runtime(settings=settings, clock=clock, database=database))
    try:
        async with database.statement() as tx:
            credential = await read_credential(
                tx, channel="shoppo", public_key=viewer, box=box(), proof="bearer"
            )
        assert credential is not None
        served = build_served(create_subjects(services))
        ids = await ShopIds(database).of(credential.partner.shop_id)
        documents = Documents(served)
        yield Inside(
            served=served,
            planned=Executing(served, documents),
            plain=Executing(served, Documents(served, with_plans=False)),
            documents=documents,
            call=Call(credential.partner, ids),
            database=database,
            statements=statements,
        )
    finally:
        await services.close()
        await database.close()
