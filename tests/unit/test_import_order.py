"""Nothing is imported upwards or in a circle, and only the rims know Prefect: read from the sources with `ast`."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.import_levels import KNOW_PREFECT, LEVELS

_ROOT: Final = Path(__file__).parents[2]
_PACKAGE: Final = "globe_sms"
_TOPS: Final = ("tasks", "flows", "deployments")
_LEVEL_OF: Final = {folder: level for level, folders in enumerate(LEVELS) for folder in folders}


def _imported(tree: ast.Module) -> Iterator[str]:
    """Every module that a file imports, also inside functions; of `from x import y` both x and x.y."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file_of(module: str) -> str | None:
    """The file of one of our modules, from the root of the repository; None for a name inside a module."""
    path = Path(*module.split(".")[1:])
    for file in (path.with_suffix(".py") if path.name else path, path / "__init__.py"):
        if (_ROOT / file).is_file():
            return file.as_posix()
    return None


@cache
def _imports() -> Mapping[str, frozenset[str]]:
    """Each file's imports: files of ours from the root of the repository, other modules by name."""
    found: dict[str, frozenset[str]] = {}
    for file in sorted(file for top in _TOPS for file in (_ROOT / top).rglob("*.py")):
        name = file.relative_to(_ROOT).as_posix()
        modules = frozenset(_imported(ast.parse(file.read_text(encoding="utf-8"))))
        ours = {_file_of(module) for module in modules if module.startswith(f"{_PACKAGE}.")}
        others = {module for module in modules if not module.startswith(_PACKAGE)}
        found[name] = frozenset((ours - {None, name}) | others)  # pyright: ignore[reportArgumentType]
    return found


def _edges() -> Iterator[tuple[str, str]]:
    for file, imports in _imports().items():
        packages = {str(Path(each).parent) for each in imports if not each.endswith("__init__.py")}
        for other in imports:
            # `from package import module` needs the package's own file for nothing but the name.
            is_only_the_way = other.endswith("__init__.py") and str(Path(other).parent) in packages
            if other.endswith(".py") and not is_only_the_way:
                yield file, other


def _folder(file: str) -> str:
    """The folder of the table that a file belongs to: the nearest that is named there."""
    for folder in Path(file).parents:
        if folder.as_posix() in _LEVEL_OF:
            return folder.as_posix()
    raise AssertionError(f"{file} is in no folder of tests/import_levels.py")


def _circles(edges: Iterator[tuple[str, str]]) -> set[frozenset[str]]:
    """The groups of nodes that lead back to themselves (Tarjan's strongly connected components)."""
    graph: dict[str, set[str]] = {}
    for here, there in edges:
        graph.setdefault(here, set()).add(there)
        graph.setdefault(there, set())
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: set[frozenset[str]] = set()

    def visit(node: str) -> None:
        number[node] = lowest[node] = len(number)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in number:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == number[node]:
            circle = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(circle) > 1 or node in graph[node]:
                found.add(frozenset(circle))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


def test_every_folder_has_its_level_and_every_level_its_folders() -> None:
    folders = {_folder(file) for file in _imports()}
    assert folders == set(_LEVEL_OF)


def test_every_folder_of_tasks_is_named_itself() -> None:
    """A new stage or thing must be given its place; it doesn't slip in under the root's rights."""
    assert {f"tasks/{each.parent.name}" for each in (_ROOT / "tasks").glob("*/*.py")} <= set(_LEVEL_OF)


@pytest.mark.parametrize("folder", _LEVEL_OF)
def test_a_folder_imports_lower_folders_only(folder: str) -> None:
    wrong = [
        f"{file} -> {other}"
        for file, other in _edges()
        if _folder(file) == folder and _folder(other) != folder and _LEVEL_OF[_folder(other)] >= _LEVEL_OF[folder]
    ]
    assert not wrong, "\n".join(["imported upwards or sideways:", *wrong])


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert not _circles(_edges())


def test_prefect_is_imported_by_named_files_only() -> None:
    """And each of them needs it."""
    users = {
        file
        for file, imports in _imports().items()
        if any(module.partition(".")[0].startswith("prefect") for module in imports)
    }
    assert {each for each in KNOW_PREFECT if not any(Path(user).is_relative_to(each) for user in users)} == set()
    assert {user for user in users if not any(Path(user).is_relative_to(each) for each in KNOW_PREFECT)} == set()


def test_the_block_is_registered_by_the_deployment_only() -> None:
    """Nothing else needs Prefect's block classes, which take half a second to import."""
    assert {_folder(file) for file, other in _edges() if other == "tasks/blocks.py"} == {"deployments"}
