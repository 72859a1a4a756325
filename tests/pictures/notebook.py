"""Run the notebook flows/campaign.ipynb and keep what its cells show: `python -m tests.pictures.notebook`.

Cells run one after the other in one namespace, as in Jupyter: what a cell prints and the value of its last line are its
output. No kernel is needed.
"""

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any, Final

NOTEBOOK: Final = Path(__file__).parents[2] / "flows" / "campaign.ipynb"


def read_notebook() -> dict[str, Any]:
    """Return the notebook as it's stored (nbformat 4)."""
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def run_cells(notebook: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Run the code cells in their order; return the outputs of each."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [_outputs("".join(cell["source"]), names, place) for place, cell in enumerate(cells, 1)]


def _outputs(source: str, names: dict[str, Any], place: int) -> list[dict[str, Any]]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, f"cell {place}", "exec"), names)  # noqa: S102 - our own cells
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"cell {place}", "eval"), names)  # noqa: S307
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": _lines(printed.getvalue())})
    if value is not None:
        data = {"text/plain": _lines(repr(value))}
        if hasattr(value, "_repr_html_"):
            data["text/html"] = _lines(value._repr_html_())
        outputs.append({"output_type": "execute_result", "execution_count": place, "metadata": {}, "data": data})
    return outputs


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main() -> None:
    """Run it, and store what it shows."""
    notebook = read_notebook()
    outputs = iter(run_cells(notebook))
    place = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            place += 1
            cell.update(execution_count=place, outputs=next(outputs))
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(NOTEBOOK)  # noqa: T201


if __name__ == "__main__":
    main()
