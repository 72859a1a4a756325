"""What `globe-sms receipts replies` says."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from globe_sms.deployments.receipts.show_replies import read_replies
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import InputError


def test_replies_are_shown_masked_and_counted(tmp_path: Path) -> None:
    """Also numbers that somebody wrote in a text, which may look like markup."""
    written = [("6581234567", "STOP"), ("6591234567", "Call [b]6591112222"), ("x", "Stop")]
    lines = [{"phone_number": number, "content": text, "send_time": "2026-11-30 10:00:00"} for number, text in written]
    store = LocalStore(tmp_path)
    store.put_if_absent("replies/1.ndjson", "\n".join(map(json.dumps, lines)).encode())
    found = read_replies(store)
    out = io.StringIO()
    Console(file=out, width=120).print(found.table())
    said = out.getvalue() + "\n".join(found.sentences()) + json.dumps(found.as_json(), ensure_ascii=False)
    assert "+65••••4567" in said
    assert "Call [b]+65••••2222" in said
    assert not any(digits in said for digits in ("6581234567", "6591234567", "6591112222"))
    assert "3 replies: 1 STOP, 0 START, 1 other. 1 number opted out.\n1 reply had no number or no time" in said
    assert f'suppress = ["{tmp_path}#replies"]' in said


def test_a_place_that_nothing_ever_wrote_to_is_an_error(tmp_path: Path) -> None:
    """An empty answer would say that nobody wants to be left alone."""
    with pytest.raises(InputError, match="never wrote there"):
        read_replies(LocalStore(tmp_path))
