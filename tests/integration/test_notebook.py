"""The notebook shows what its cells really do."""

import os
from unittest.mock import patch

import pytest

from tests.pictures.notebook import read_notebook, run_cells

pytestmark = pytest.mark.slow


def test_the_notebook_shows_what_its_cells_do() -> None:
    """A dry run, the campaign, its results, and these joined with the customers."""
    notebook = read_notebook()
    with patch.dict(os.environ):  # the cells set it
        outputs = run_cells(notebook)
    shown = [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [[_plain(each) for each in cell] for cell in outputs] == [[_plain(each) for each in cell] for cell in shown]
    assert sum(map(len, shown)) >= 6


def _plain(output: dict[str, object]) -> object:
    data = output.get("data")
    return data["text/plain"] if isinstance(data, dict) else output["text"]
