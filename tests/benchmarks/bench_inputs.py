"""How long a frame, a query and a Delta table take from the rows to the plan, beside the same rows as parquet.

One run, side by side, of 10 million rows, or as many as the first argument says. Each input is planned in a process of
its own. A frame and a query are written to the campaign's folder first, which counts.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from tests.benchmarks.measured_process import Program
from tests.benchmarks.printed_table import print_table, say

_ROWS: Final = 10_000_000
_SECONDS_A_ROW: Final = 60e-6  # when to give up
_KINDS: Final = ("parquet", "frame, lazy", "query of DuckDB", "Delta table")


def write_rows(folder: Path, rows: int) -> None:
    """Write the same rows as parquet, as a table of DuckDB and as a Delta table of a few files."""
    from deltalake import write_deltalake

    frame = pl.select(pl.int_range(rows, dtype=pl.Int64).alias("n")).select(
        phone=pl.format("+65{}", pl.lit(80_000_000) + pl.col("n")), name=pl.format("Anna {}", pl.col("n") % 1_000)
    )
    frame.write_parquet(folder / "list.parquet")
    with duckdb.connect(folder / "list.duckdb") as database:
        database.read_parquet(str(folder / "list.parquet")).to_table("members")
    write_deltalake(str(folder / "delta"), frame)


def plan(kind: str, folder: Path) -> None:
    """Plan the rows as one kind of input."""
    from globe_sms.tasks.campaign.config import CampaignConfig
    from globe_sms.tasks.planning.campaign_lists import find_campaign_lists
    from globe_sms.tasks.planning.make_plan import make_plan
    from globe_sms.tasks.recipients.database_query import Database, ask_database
    from globe_sms.tasks.recipients.frames import write_frame
    from globe_sms.tasks.runs.keep_query import keep_query
    from globe_sms.tasks.store import LocalStore
    from tests.unit.planned_csv import no_s3

    store, scratch = LocalStore(folder / "out" / kind), Path(tempfile.mkdtemp(dir=folder))
    given = {"message": "Hi", "type": "NOTIFY", "results": str(folder)}
    config = CampaignConfig.checked(recipients=(str(folder / "list.parquet"),), **given)
    sources = None
    if kind == "frame, lazy":
        file = write_frame(pl.scan_parquet(folder / "list.parquet"), scratch)
        store.put_file_if_absent(f"lists/{file.name}", file)
        config = config.model_copy(update={"recipients": (f"{store.uri}/lists/{file.name}",)})
    elif kind == "query of DuckDB":
        database = Database("CRM", f"duckdb:///{folder}/list.duckdb")
        sources = (keep_query(ask_database(database, "select phone, name from members", scratch), config, store),)
    elif kind == "Delta table":
        config = config.model_copy(update={"recipients": (f"delta+{folder}/delta",)})
    sources = sources or find_campaign_lists(config, no_s3)
    make_plan(config, store, no_s3, scratch, sources=sources)


def main() -> None:
    """Print a line for each input."""
    if len(sys.argv) > 2:
        began = time.monotonic()
        plan(sys.argv[1], Path(sys.argv[2]))
        print(f"{time.monotonic() - began:.3f}")
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else _ROWS
    with tempfile.TemporaryDirectory(prefix="globe-sms-bench-") as name:
        folder = Path(name)
        write_rows(folder, rows)
        lines: list[list[str]] = []
        first = 0.0
        for place, kind in enumerate(_KINDS):
            say(kind)
            run = Program([sys.executable, __file__, kind, name], os.environ, folder / f"run-{place}")
            seconds = float(run.wait(rows * _SECONDS_A_ROW + 60))
            first = first or run.cpu_seconds
            cpu = run.cpu_seconds
            lines.append([kind, f"{seconds:.1f}", f"{cpu:.1f}", f"{cpu / first:.2f}", f"{run.peak_mb:.0f}"])
        columns = ["input", "seconds", "CPU seconds", "to parquet's", "peak memory, MB"]
        print_table(f"{rows:,} rows to a plan", columns, lines)


if __name__ == "__main__":
    main()
