"""The dependencies of signing in."""

from datetime import timedelta

import msgspec

from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.kit.passwords import Hasher
from crossdock.settings import PeopleSection
from crossdock.shop.people.attempts import Limits
from crossdock.shop.people.sessions import Lifetimes


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """Database, clock, ids, secrets, and the rules that settings give."""

    db: Database
    clock: Clock
    ids: Ids
    box: SecretBox
    hasher: Hasher
    lives: Lifetimes
    limits: Limits


def lifetimes_of(section: PeopleSection) -> Lifetimes:
    """How long sessions live, by the section of people."""
    return Lifetimes(
        idle=timedelta(seconds=section.session_idle_s),
        longest=timedelta(seconds=section.session_longest_s),
    )


def create_means(runtime: Runtime, *, box: SecretBox, ids: Ids) -> Means:
    """The means of one process."""
    section = runtime.settings.people
    return Means(
        db=runtime.database,
        clock=runtime.clock,
        ids=ids,
        box=box,
        hasher=Hasher(),
        lives=lifetimes_of(section),
        limits=Limits(
            free_failures=section.sign_in_free_failures,
            longest_wait_s=section.sign_in_longest_wait_s,
        ),
    )
