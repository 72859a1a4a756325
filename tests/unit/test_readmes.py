"""What the pages name is there: files, links, commands, options."""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console

from globe_sms.deployments.commands import deploy
from globe_sms.flows.command_line.app import make_app
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.groups import GROUPS
from globe_sms.tasks.campaign.options.merged_fields import form_of

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (
    *(ROOT / folder / "README.md" for folder in ("", "flows", "deployments", "tasks", "tests", "tests/benchmarks")),
    *sorted((ROOT / "flows" / "manual").glob("*.md")),
)
_EVERYWHERE: Final = {"--help", "--version"}


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def options_in(help_text: str) -> set[str]:
    """The long options that a help or a table starts a line with."""
    return set(re.findall(r"--[a-z][a-z-]+", help_text)) - _EVERYWHERE


def help_options(command: str) -> set[str]:
    """The options of a command, by its help: those at the start of a line, not those in a sentence."""
    app = make_app()
    app.command(deploy, name="deploy")
    out = io.StringIO()
    with redirect_stdout(out):
        app.help_print([command], console=Console(file=out, width=400))
    lines = re.findall(r"^│\s*\*?\s*((?:-\w\s*,?\s*|--[a-z-]+[\s,]*)+)", out.getvalue(), re.MULTILINE)
    return {option for line in lines for option in options_in(line)}


def table_options(page: str, heading: str) -> set[str]:
    """The options in the first column of the first table after a heading."""
    table = text_of(page).split(f"{heading}\n", 1)[1].split("| option |", 1)[1].split("\n\n", 1)[0]
    rows = re.findall(r"^\| ([^|]*) \|", table, re.MULTILINE)
    return {option for row in rows for option in options_in(row)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    broken: list[str] = []
    for link in links:
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """Names in code marks with a folder, or a module at the root of the page's own folder."""
    named = set(re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|yaml|toml|svg))`", page.read_text(encoding="utf-8")))
    named -= {"own.csv", "opening.toml", "delivery.svg", ".globe-sms/policy.toml", "prefect.toml"}
    missing = {name for name in named if not (page.parent / name).exists() and not (ROOT / name).exists()}
    assert missing == set()


def test_every_module_that_a_page_names_can_be_imported() -> None:
    named = {name for page in PAGES for name in re.findall(r"globe_sms(?:\.\w+)+", page.read_text(encoding="utf-8"))}
    named -= {"globe_sms.send", "globe_sms.egg"}
    missing = {name for name in named if not ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py").exists()}
    assert missing == set()


def test_every_make_command_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make (\w+)`", page.read_text(encoding="utf-8"))}
    assert named <= targets


def test_every_measurement_starts_as_its_page_says() -> None:
    """As a module from the repository's root; `make bench` runs them the same way."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_rate_delays", "--help"]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    scripts = (ROOT / "tests" / "benchmarks").glob("bench_*.py")
    assert {script.name for script in scripts} <= set(re.findall(r"`(\w+\.py)`", text_of("tests/benchmarks/README.md")))


def test_the_first_page_is_short() -> None:
    assert len(text_of("README.md").encode()) <= 9_000


def test_the_page_of_options_has_every_option_of_send() -> None:
    assert table_options("flows/manual/options.md", "## Options") == help_options("send")


def test_the_page_of_options_has_the_fields_of_the_form() -> None:
    """The second column has each field's title, before what to write in it."""
    models = (EveryCampaign, *(group.options for group in GROUPS))
    titles = {str(field.title) for model in models for field in form_of(model).model_fields.values() if field.title}
    rows = text_of("flows/manual/options.md").split("## Options\n", 1)[1].split("| **This command** |", 1)[0]
    named = re.findall(r"^\| [^|*]+ \| ([^|]+) \|", rows, re.MULTILINE)[2:]  # below the header and its line
    assert {re.split(r", (?:as (?:a position|`)|such as) ?|: ", said)[0] for said in named} == titles | {
        "not in the form"
    }


def test_the_page_on_results_has_every_option_of_track() -> None:
    assert table_options("flows/manual/results.md", "## Was it delivered?") == help_options("track")


def test_the_page_on_deploying_has_every_option_of_deploy() -> None:
    assert table_options("deployments/README.md", "## On a Prefect server") == help_options("deploy")
