"""Where a chaos test plays: campaigns of its own on the session's sandbox, runs of them, and what they left behind."""

import io
import itertools
import json
import os
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from globe_sms.deployments.sandbox.child_process import wait_until
from globe_sms.deployments.sandbox.gateway.arrival_log import Arrival
from globe_sms.deployments.sandbox.sandbox import Sandbox
from tests.chaos.command_process import Command
from tests.chaos.long_form import LONG
from tests.chaos.results_against_log import Row, find_faults
from tests.prefect_server import PrefectApi
from tests.waiting import LONGEST_WAIT

CALLS_PER_SECOND = 20
ACCOUNT_CALLS_PER_SECOND = 25  # more than the runs make: throttling comes from fault rules only
NUMBERS_PER_CALL = 10
_FIRST_NUMBER = 6581000000
_MESS = (("not a number", "invalid"), ("", "invalid"), ("8613800138000", "unsupported"))
_MESS_EVERY = 20

_next_number = itertools.count(_FIRST_NUMBER)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign that is to be sent: its list, its rows as they must come out, and where its results go."""

    id: str
    results: str
    list: Path
    rows: tuple[Row, ...]
    environment: Mapping[str, str]
    options: tuple[str, ...] = ()
    numbers_per_call: int = NUMBERS_PER_CALL
    calls_per_second: int = CALLS_PER_SECOND

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every number (digits) that must go out, in order."""
        return tuple(row.number for row in self.rows if row.number is not None)

    def chunk(self, index: int) -> tuple[str, ...]:
        """The numbers of one chunk."""
        return self.numbers[index * self.numbers_per_call :][: self.numbers_per_call]

    @property
    def folder(self) -> str:
        """The campaign's own folder: a key prefix in the bucket, or a path."""
        return f"{self.results.removeprefix('s3://').partition('/')[2]}/{self.id}" if self.on_s3 else str(self.path)

    @property
    def on_s3(self) -> bool:
        """Whether the results are on S3."""
        return self.results.startswith("s3://")

    @property
    def path(self) -> Path:
        """The campaign's own folder, for a local one."""
        return Path(self.results) / self.id


@dataclass(slots=True)
class Stage:
    """One test's stage.

    `recorded` says whether runs are recorded on the Prefect server. Unless a
    test decides, none is in the short form, and every other one in the long form: then runs with and without a server
    take over from each other.
    """

    sandbox: Sandbox
    folder: Path
    ask_for_prefect: Callable[[], PrefectApi]
    recorded: bool | None = None
    commands: list[Command] = field(default_factory=list[Command])

    @property
    def prefect(self) -> PrefectApi:
        """The Prefect server."""
        return self.ask_for_prefect()

    def campaign(
        self,
        place: str = "local",
        *options: str,
        chunks: int = 40,
        numbers_per_call: int = NUMBERS_PER_CALL,
        calls_per_second: int = CALLS_PER_SECOND,
        numbers: Sequence[str] | None = None,
        mess: bool = True,
        endpoint: str | None = None,
        **environment: str,
    ) -> Campaign:
        """Write a list of so many chunks and name a results folder (`local` or `s3`); nothing is started.

        `numbers` (digits) stand in the list in place of Singapore's for so many chunks. `endpoint` is another road to
        S3. Among the numbers stand rows that must not be sent, unless `mess` is False.
        """
        name = f"chaos-{uuid.uuid4().hex[:12]}"
        path = self.folder / f"{name}.csv"
        numbers = fresh_numbers(chunks * numbers_per_call) if numbers is None else numbers
        rows = tuple(_rows(str(path), numbers, mess=mess))
        path.write_text("phone\n" + "".join(f'"{row.recipient}"\n' for row in rows), encoding="utf-8")
        results = f"s3://{self.sandbox.bucket}/{name}" if place == "s3" else str(self.folder / f"{name}-results")
        if endpoint is not None:
            environment["AWS_ENDPOINT_URL"] = endpoint
        return Campaign(name, results, path, rows, environment, options, numbers_per_call, calls_per_second)

    def start(self, campaign: Campaign, *options: str, terminal: bool = False, **environment: str) -> Command:
        """Start `globe-sms send` for the campaign; the same command whenever the options are the same."""
        arguments = [
            "send",
            str(campaign.list),
            *([] if any(option.startswith("--message=") for option in options) else ["--message=Chaos"]),
            "--type=NOTIFY",
            f"--results={campaign.results}",
            f"--campaign={campaign.id}",
            f"--numbers-per-call={campaign.numbers_per_call}",
            f"--calls-per-second={campaign.calls_per_second}",
            *campaign.options,
            *options,
            "--json",
        ]
        return self.start_program(campaign, "globe-sms", *arguments, terminal=terminal, **environment)

    def start_program(
        self, campaign: Campaign, program: str, *arguments: str, terminal: bool = False, **environment: str
    ) -> Command:
        """Start a program that sends the campaign."""
        folder = self.folder / f"run-{len(self.commands)}"
        folder.mkdir()
        command = Command(
            arguments,
            {**self._environment(), **campaign.environment, **environment},
            folder,
            secrets=(self.sandbox.account.secret, self.sandbox.s3.secret_key),
            numbers={form for number in campaign.numbers for form in (number, number[2:])},
            program=program,
            terminal=terminal,
        )
        self.commands.append(command)
        return command

    def run(self, campaign: Campaign, *options: str, **environment: str) -> Command:
        """Run `globe-sms send` for the campaign to its end."""
        command = self.start(campaign, *options, **environment)
        command.wait()
        return command

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PREFECT_", "GLOBE_"))
        }
        recorded = LONG and len(self.commands) % 2 == 1 if self.recorded is None else self.recorded
        return {
            **kept,
            **self.sandbox.environment,
            **(self.prefect.environment if recorded else {"PREFECT_API_URL": ""}),
            "XDG_STATE_HOME": str(self.state_home),
        }

    @property
    def state_home(self) -> Path:
        """Where runs keep what the store will not take."""
        return self.folder / "state"

    def spilled(self) -> list[Path]:
        """The send records that lie on this machine only."""
        return [path for path in self.state_home.rglob("records/*") if path.is_file()]

    def arrivals(self, campaign: Campaign) -> list[Arrival]:
        """The gateway's log of the campaign, in order."""
        return [arrival for arrival in self.sandbox.gateway.log() if arrival.task_id.startswith(f"{campaign.id}-")]

    def await_arrivals(self, count: int, command: Command, seconds: float = LONGEST_WAIT) -> bool:
        """Wait until the gateway has seen so many calls since the test began; False if the run ended before."""
        return self.await_event(
            lambda: self.sandbox.gateway.stats().calls >= count, command, f"{count} calls", seconds=seconds
        )

    def calls_to(self, campaign: Campaign, numbers: Collection[str]) -> int:
        """How many calls of the campaign had any of these numbers."""
        wanted = frozenset(numbers)
        return sum(not wanted.isdisjoint(arrival.numbers) for arrival in self.arrivals(campaign))

    def await_calls_to(self, campaign: Campaign, numbers: Collection[str], count: int, command: Command) -> bool:
        """Wait until the campaign has made so many calls to any of these; False if the run ended before."""
        return self.await_event(
            lambda: self.calls_to(campaign, numbers) >= count, command, f"{count} calls to {len(numbers)} numbers"
        )

    def await_event(
        self, event: Callable[[], bool], command: Command, what: str, seconds: float = LONGEST_WAIT
    ) -> bool:
        """Wait until something has happened; False if the run ended before."""
        wait_until(lambda: not command.running or event(), seconds=seconds, what=what)
        return command.running

    def results(self, campaign: Campaign) -> pl.DataFrame:
        """The results parquet as it stands, read past the product."""
        body = self.read(campaign, "results.parquet")
        assert body is not None, "no results were written"
        return pl.read_parquet(io.BytesIO(body))

    def statuses(self, campaign: Campaign) -> dict[tuple[str, str | None], int]:
        """Rows by status and reason, without those that were not to be sent."""
        sent = self.results(campaign).filter(pl.col("chunk").is_not_null())
        counted = sent.group_by(pl.col("status").cast(pl.String), "reason").len()
        return {(status, reason): rows for status, reason, rows in counted.iter_rows()}

    def faults(
        self,
        campaign: Campaign,
        *,
        resent: Collection[str] = (),
        resends: int = 1,
        unheard: bool = False,
        opted_out: Mapping[str, int] | None = None,
    ) -> list[str]:
        """The judge's word on the campaign as it stands."""
        arrivals, results = self.arrivals(campaign), self.results(campaign)
        return find_faults(
            arrivals, results, campaign.rows, resent=resent, resends=resends, unheard=unheard, opted_out=opted_out
        )

    def keys(self, campaign: Campaign, folder: str) -> set[str]:
        """The names in one folder of the campaign (`claims`, `records`), listed past the product."""
        if not campaign.on_s3:
            return {path.name for path in (campaign.path / folder).glob("*")}
        prefix = f"{campaign.folder}/{folder}/"
        with closing(self.sandbox.s3.client()) as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.sandbox.bucket, Prefix=prefix)
            return {item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", ())}

    def read(self, campaign: Campaign, key: str) -> bytes | None:
        """What stands under a key of the campaign, read past the product."""
        if not campaign.on_s3:
            path = campaign.path / key
            return path.read_bytes() if path.exists() else None
        with closing(self.sandbox.s3.client()) as client:
            try:
                return client.get_object(Bucket=self.sandbox.bucket, Key=f"{campaign.folder}/{key}")["Body"].read()
            except client.exceptions.NoSuchKey:
                return None

    def write(self, campaign: Campaign, key: str, body: bytes) -> None:
        """Put something into the campaign's folder behind the product's back."""
        if campaign.on_s3:
            with closing(self.sandbox.s3.client()) as client:
                client.put_object(Bucket=self.sandbox.bucket, Key=f"{campaign.folder}/{key}", Body=body)
            return
        path = campaign.path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def remove(self, campaign: Campaign, key: str) -> None:
        """Remove something from the folder of a campaign on S3, as if it had never been written."""
        with closing(self.sandbox.s3.client()) as client:
            client.delete_object(Bucket=self.sandbox.bucket, Key=f"{campaign.folder}/{key}")

    def unclaimed(self, campaign: Campaign) -> set[str]:
        """Chunks whose call has arrived and whose claim is not in the store: there must be none, at any time."""
        arrived = {claim_of(arrival) for arrival in self.arrivals(campaign)}  # first the calls, then the claims
        return arrived - self.keys(campaign, "claims")

    def claims(self, campaign: Campaign) -> dict[str, dict[str, Any]]:
        """The claims by name."""
        found = {key: self.read(campaign, f"claims/{key}") for key in self.keys(campaign, "claims")}
        return {key: json.loads(body) for key, body in found.items() if body is not None}


def claim_of(arrival: Arrival) -> str:
    """The name of the claim that a call must have, by its task id `<campaign>-<chunk>-<attempt>`."""
    chunk, attempt = arrival.task_id.rsplit("-", 2)[1:]
    return f"{int(chunk):06d}-{int(attempt) // 100}"


def chunk_of(arrival: Arrival) -> int:
    """The chunk that a call carried."""
    return int(arrival.task_id.rsplit("-", 2)[1])


def fresh_numbers(count: int) -> tuple[str, ...]:
    """So many numbers of Singapore (digits) that no campaign has had yet."""
    return tuple(str(number) for number in itertools.islice(_next_number, count))


def _rows(source: str, numbers: Sequence[str], *, mess: bool) -> Iterable[Row]:
    row = itertools.count()
    for at, number in enumerate(numbers):
        yield Row(source, next(row), number, number=number)
        if mess and at % _MESS_EVERY == _MESS_EVERY - 1:
            recipient, status = ((numbers[0], "duplicate"), *_MESS)[at // _MESS_EVERY % (len(_MESS) + 1)]
            yield Row(source, next(row), recipient, status=status)
