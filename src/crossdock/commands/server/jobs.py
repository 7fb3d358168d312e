"""`crossdock jobs`: list background jobs, and retry dead letters."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, print_json, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.jobs.inspecting import JobMoment, JobView

app = typer.Typer(help="List background jobs; retry dead letters.", no_args_is_help=True)

JobId = Annotated[int, typer.Argument(help="The job's number, from `crossdock jobs list`.")]


@app.command("list")
def list_(
    status: Annotated[
        str, typer.Option(help="todo, doing, succeeded, failed, cancelled, aborted or all.")
    ] = "failed",
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the newest jobs; without options the dead letters."""
    from crossdock.jobs.inspecting import STATUSES, list_jobs

    if status not in {*STATUSES, "all"}:
        raise Invalid("invalid_input", f"--status must be one of {', '.join(STATUSES)} or all.")

    async def read(runtime: Runtime) -> "list[JobView]":
        async with runtime.database.statement() as tx:
            return await list_jobs(
                tx, status=None if status == "all" else status, task=task, limit=limit
            )

    jobs = with_runtime(read)
    report_list(jobs, as_json=as_json, table=_print_table, none="There is no such job.")


@app.command()
def show(job_id: JobId, as_json: JsonOption = False) -> None:
    """Show one job and its history."""
    from crossdock.jobs.inspecting import show_job

    async def read(runtime: Runtime) -> "tuple[JobView, list[JobMoment]]":
        async with runtime.database.statement() as tx:
            return await show_job(tx, job_id=job_id)

    job, history = with_runtime(read)
    if as_json:
        print_json({"job": job, "history": history})
        return
    _print_table([job])
    for moment in history:
        typer.echo(f"{moment.at:%Y-%m-%d %H:%M:%S}  {moment.kind}")


@app.command()
def retry(job_id: JobId, as_json: JsonOption = False) -> None:
    """Requeue a failed job."""
    from crossdock.jobs.inspecting import retry_job

    async def again(runtime: Runtime) -> "JobView":
        async with runtime.database.begin() as tx:
            return await retry_job(tx, job_id=job_id)

    job = with_runtime(again)
    report(job, as_json=as_json, text=f"Job {job.id} ({job.task}) is queued again.")


def _print_table(jobs: "list[JobView]") -> None:
    from rich.table import Table

    table = Table("Job", "Task", "Status", "Attempts", "Arguments", "Last change")
    for job in jobs:
        changed = f"{job.changed_at:%Y-%m-%d %H:%M:%S}" if job.changed_at else ""
        arguments = msgspec.json.encode(job.args).decode()
        table.add_row(str(job.id), job.task, job.status, str(job.attempts), arguments, changed)
    print_table(table)
