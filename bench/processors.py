"""Processor time by role: a process and its descendants."""

import contextlib

import psutil

from crossdock.db.unit_of_work import Database


async def postmaster(database: Database) -> int:
    """The process id of the database server; it must run on this machine."""
    async with database.statement() as tx:
        backend = await tx.value("select pg_backend_pid()")
    return int(psutil.Process(backend).ppid())


def tree_cpu_s(pid: int) -> float:
    """Processor seconds of a process and its descendants so far, including those that ended."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (*root.children(recursive=True), root):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
