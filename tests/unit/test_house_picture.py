"""The picture in tasks/README.md is that of the sources and of the page as they are."""

import re

from tests.pictures.house import PICTURE, ROOT, draw, imports_between_folders, without_what_follows


def test_the_picture_of_the_house_is_that_of_the_sources() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(), "run `make pictures`"


def test_every_folder_of_tasks_is_a_room_and_every_step_has_one() -> None:
    """Whatever is added is seen: a folder without a floor, or a step whose file is in none."""
    picture = PICTURE.read_text(encoding="utf-8")
    folders = {path.parent.name for path in (ROOT / "tasks").glob("*/__init__.py")}
    assert {name for name in folders if f">{name}/<" not in picture} == set()
    page = (ROOT / "tasks" / "README.md").read_text(encoding="utf-8").split("## What is stored")[0]
    steps = re.findall(r"^\d+\. ", page, re.MULTILINE)
    assert picture.count("<circle") - 2 == len(steps)  # two are in the legend


def test_an_import_that_follows_from_others_is_not_drawn() -> None:
    pairs = {("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")}
    assert without_what_follows(pairs) == {("a", "b"), ("b", "c"), ("d", "c")}
    assert ("tasks/sending", "tasks/gateway") in imports_between_folders()
