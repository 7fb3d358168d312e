"""The same done with many orders: what it is, and the worker's runs over any number of them."""

from crossdock.shop.bulk.acting import (
    BULK_ACTIONS,
    BulkAction,
    BulkWork,
    act_on_order,
    bulk_work,
)
from crossdock.shop.bulk.running import RUNS_KEPT, purge_runs, run_orders
from crossdock.shop.bulk.runs import (
    RESULTS_MAX,
    RUN_ORDERS,
    OrderRun,
    RowState,
    RunAuthor,
    RunResult,
    begin_run,
    list_results,
    list_runs,
    read_run,
    resume_run,
    stop_run,
)

__all__ = [
    "BULK_ACTIONS",
    "RESULTS_MAX",
    "RUNS_KEPT",
    "RUN_ORDERS",
    "BulkAction",
    "BulkWork",
    "OrderRun",
    "RowState",
    "RunAuthor",
    "RunResult",
    "act_on_order",
    "begin_run",
    "bulk_work",
    "list_results",
    "list_runs",
    "purge_runs",
    "read_run",
    "resume_run",
    "run_orders",
    "stop_run",
]
