"""The write paths of tickets, webhooks and images, for the claim that interrupts each between any two statements."""

from typing import Any

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.jobs.consuming import run_consumers
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import SeededIds
from crossdock.shop.alerts import raise_alert
from crossdock.shop.events import number_events
from crossdock.shop.media import keep_image
from crossdock.shop.tickets import Action
from crossdock.shop.webhooks import Subscribing, subscribe, webhook_consumer
from proof.paths import NOW, Scene, WritePath
from tests.support.factories import box
from tests.support.hooked import ALERTED, DIALECT, KIND
from tests.support.keeping import create_media
from tests.support.people import make_person
from tests.support.pictures import photo
from tests.support.ticketing import Helpdesk, line

QUEUED_ONCE = """
    select (select count(*) = 1 and bool_and(sequence = 1) from webhook_events)
       and (select count(*) = 1 and bool_and(status = 'queued') from deliveries)
"""
KEPT_ONCE = "select (select count(*) = 1 from images) and (select count(*) = 1 from image_files)"


async def _staffed(database: Database, scene: Scene) -> None:
    """Let the partner have an order, and the shop an agent."""
    async with database.begin() as tx:
        made = await make_person(tx, shop_id=scene.shop.id, role="manager")
    scene.made["agent"] = made.person
    scene.numbers["order"] = await _desk(database, scene).order()


def _desk(database: Database, scene: Scene) -> Helpdesk:
    return Helpdesk(
        db=database,
        clock=FrozenClock(NOW),
        shop=scene.shop,
        partner=scene.partner,
        agent=scene.made["agent"],
    )


async def _open_ticket(database: Database, scene: Scene) -> None:
    lines = (line(scene.numbers["order"]),)
    scene.numbers["ticket"] = await _desk(database, scene).ticket(lines=lines)


async def _opened(database: Database, scene: Scene) -> None:
    await _staffed(database, scene)
    await _open_ticket(database, scene)


async def _reply(database: Database, scene: Scene) -> None:
    await _desk(database, scene).reply(scene.numbers["ticket"], "It is still broken.")


async def _assigned(database: Database, scene: Scene) -> None:
    await _opened(database, scene)
    await _action("assign")(database, scene)


async def _asked(database: Database, scene: Scene) -> None:
    await _assigned(database, scene)
    await _action("ask", "Which part?")(database, scene)


async def _solved(database: Database, scene: Scene) -> None:
    await _opened(database, scene)
    await _action("solve", "It is on its way.")(database, scene)


def _action(action: Action, content: str | None = None) -> Any:
    async def act(database: Database, scene: Scene) -> None:
        await _desk(database, scene).act(scene.numbers["ticket"], action, content)

    return act


async def _subscribe(database: Database, scene: Scene) -> None:
    service = Subscribing(outbound=scene.outbound, box=box(), ids=SeededIds("webhook"))
    async with database.begin() as tx:
        await subscribe(
            tx,
            service=service,
            dialect=DIALECT,
            shop_id=scene.shop.id,
            url=f"{scene.receiver.url}/in",
            names=(ALERTED,),
            now=NOW,
        )


async def _alert(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await raise_alert(
            tx, shop_id=scene.shop.id, kind=KIND, message="Look.", subject="1", now=NOW
        )


async def _told(database: Database, scene: Scene) -> None:
    """Something happens that a subscriber is told of."""
    await _subscribe(database, scene)
    await _alert(database, scene)


async def _relay(database: Database, scene: Scene) -> None:
    """Number the events and let the consumer of the webhooks read them."""
    async with database.begin() as tx:
        await number_events(tx, shop_id=scene.shop.id)
    while await run_consumers(database, consumers=[webhook_consumer(DIALECT)], now=NOW):
        pass


async def _keep(database: Database, scene: Scene, *, seed: str = "image") -> None:
    media = create_media(database, FrozenClock(NOW), scene.folder)
    media = msgspec.structs.replace(media, ids=SeededIds(seed))
    try:
        await keep_image(media, shop_id=scene.shop.id, partner_id=scene.partner.id, body=photo())
    finally:
        media.reader.close()


async def _keep_now(database: Database, scene: Scene) -> None:
    await _keep(database, scene)


async def _keep_again(database: Database, scene: Scene) -> None:
    await _keep(database, scene, seed="image again")


DESK_PATHS = (
    WritePath(name="raise an alert", act=_alert),
    WritePath(name="open a ticket", prepare=_staffed, act=_open_ticket),
    WritePath(name="assign a ticket", prepare=_opened, act=_action("assign")),
    WritePath(name="answer a ticket", prepare=_assigned, act=_action("answer", "We look.")),
    WritePath(name="ask about a ticket", prepare=_assigned, act=_action("ask", "Which part?")),
    WritePath(name="reply to a question", prepare=_asked, act=_reply),
    WritePath(name="solve a ticket", prepare=_opened, act=_action("solve", "It is on its way.")),
    WritePath(name="close a ticket", prepare=_solved, act=_action("close")),
    WritePath(name="subscribe to webhooks", act=_subscribe),
    WritePath(
        name="queue a webhook",
        prepare=_told,
        act=_relay,
        commits=2,
        recover=_relay,
        settled=QUEUED_ONCE,
    ),
    WritePath(
        name="keep an image",
        act=_keep_now,
        commits=2,
        recover=_keep_again,
        settled=KEPT_ONCE,
    ),
)
