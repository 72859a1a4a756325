"""The columns of `results.parquet`: one row for every row of the lists.

Columns are added at the end; none is renamed or removed.
"""

from typing import Final

import polars as pl

from globe_sms.tasks.vocabulary.statuses import DELIVERIES, STATUSES

E164: Final = pl.col("phone_number").str.strip_chars_start("+").cast(pl.Int64, strict=False).alias("e164")
"""The number of a row of a plan or of results, as an integer; null where only its hash is left (`number_hashes`)."""

RESULTS_KEY: Final = "results.parquet"
RESULTS_SCHEMA: Final = pl.Schema(
    {
        "campaign": pl.String(),
        "source": pl.String(),
        "row": pl.UInt64(),
        "recipient": pl.String(),
        "phone_number": pl.String(),
        "region": pl.String(),
        "status": pl.Enum(STATUSES),
        "reason": pl.String(),
        "message_id": pl.String(),
        "request_id": pl.String(),
        "response_code": pl.String(),
        "response_description": pl.String(),
        "chunk": pl.UInt32(),
        "attempts": pl.UInt8(),
        "segments": pl.UInt16(),
        "sent_at": pl.Datetime("us", "UTC"),
        "metadata": pl.String(),
        "delivery": pl.Enum(DELIVERIES),
        "delivery_code": pl.String(),
        "delivered_at": pl.Datetime("us", "UTC"),
        "settled_by": pl.String(),
    }
)
