"""Erases one number from everything in a results folder, and certifies what was done.

The number is put on the opt-out list of hashes first: from the next look on no run texts it, not even one that is being
sent from a plan that still has it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from globe_sms.tasks.campaign.campaign_json import DOCUMENT_KEY
from globe_sms.tasks.campaign.number_hashes import make_hashes, nothing_written
from globe_sms.tasks.numbers import checked_region, validate_text
from globe_sms.tasks.retention.erase_campaign import ErasedObject, erase_campaign
from globe_sms.tasks.retention.erase_receipts import erase_receipts
from globe_sms.tasks.retention.erased_rows import Erasure, no_s3
from globe_sms.tasks.retention.forgotten import certificate_key
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import CampaignBusyError, InputError
from globe_sms.tasks.vocabulary.masking import mask
from globe_sms.tasks.vocabulary.plurals import counted
from globe_sms.tasks.vocabulary.row_reasons import REASON_SENTENCES


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was erased of a number, or would be.

    Attributes:
        applied: whether it was done.
        number: masked.
        hashed: what is left of it; None if nothing was done.
        at: when.
        objects: the objects that were rewritten, and in how many rows.
        campaigns: how many campaigns were searched.
        busy: campaigns that were being sent: they don't text the number any more, but still have it.
        uri: where the certificate is kept.
    """

    applied: bool
    number: str
    hashed: str | None
    at: datetime
    objects: tuple[ErasedObject, ...]
    campaigns: int
    busy: tuple[str, ...]
    uri: str | None

    def sentences(self) -> list[str]:
        """Return what people should know, one sentence per line."""
        did = "erased" if self.applied else "would erase"
        said = [
            f"{each.uri}: {did} it in {counted(each.rows, 'row')}" if each.rows is not None else f"{each.uri}: {did} it"
            for each in self.objects
        ]
        searched = counted(self.campaigns, "campaign")
        said.append(f"{self.number}: searched {searched}; found it in {counted(len(self.objects), 'object')}.")
        if self.busy:
            said.append(
                f"Being sent now, and not rewritten: {', '.join(self.busy)}. They don't text the number any more; run "
                "this again when they have ended."
            )
        if not self.applied:
            said.append("Nothing was changed. To erase this for good, run the command again with --apply.")
        elif self.uri is not None:
            said.append(f"Nobody texts it from here again. Certificate: {self.uri}")
        said.append(
            "Lists of yours aren't touched: remove it from recipient lists, opt-out lists and other results folders."
        )
        return said

    def as_json(self) -> dict[str, Any]:
        """Return the certificate as JSON; it holds no whole number."""
        return {
            "applied": self.applied,
            "number": self.number,
            "hash": self.hashed,
            "at": self.at.isoformat(),
            "campaigns": self.campaigns,
            "objects": [{"uri": each.uri, "rows": each.rows} for each in self.objects],
            "busy": list(self.busy),
        }


def forget(
    place: Store,
    text: str,
    scratch: Path,
    *,
    apply: bool,
    default_region: str | None = None,
    receipts: Sequence[Store] = (),
    now: datetime | None = None,
    s3: Callable[[], S3Access] = no_s3,
) -> Certificate:
    """Erase a number from all campaigns of a results folder and from receipts. Run again, it goes on.

    Args:
        place: The results folder.
        text: The number, as the lists write it.
        scratch: A local folder with room for the plan or the results of a campaign, twice.
        apply: Whether to do it; otherwise it's only said what would be done.
        default_region: The country of a local number.
        receipts: Where delivery receipts and replies are kept.
        now: The current time.
        s3: Gives the access to tables on S3 that have the campaigns' results.

    Raises:
        InputError: the text isn't a phone number, or campaign.json of a campaign can't be read.
        StoreError: the store didn't answer, or refused; what was done stays done.
    """
    now = now or datetime.now(UTC)
    number = _number_in(text, default_region)
    hashes = make_hashes(place) if apply else nothing_written()
    hashed = hashes.number(number) if apply else None
    certificate = Certificate(apply, mask(number), hashed, now, (), 0, (), None)
    if hashed is not None:
        certificate = replace(certificate, uri=f"{place.uri}/{certificate_key(hashed)}")
        place.put_if_absent(certificate_key(hashed), _encoded(certificate))
    erasure = Erasure(hashes, number, s3)
    objects: list[ErasedObject] = []
    busy: list[str] = []
    campaigns = 0
    for name in place.folders():
        if not name[:1].isalnum() or place.within(name).get(DOCUMENT_KEY) is None:
            continue
        campaigns += 1
        try:
            found = erase_campaign(place, name, erasure, scratch, now=now, apply=False)
            objects += erase_campaign(place, name, erasure, scratch, now=now, apply=True) if apply and found else found
        except CampaignBusyError:
            busy.append(name)
    for store in receipts:
        objects += erase_receipts(store, erasure, before=now, apply=apply)
    certificate = replace(certificate, objects=tuple(objects), campaigns=campaigns, busy=tuple(busy))
    if hashed is not None:
        _keep(place, certificate_key(hashed), certificate)
    return certificate


def _number_in(text: str, default_region: str | None) -> str:
    verdict = validate_text(text, checked_region(default_region))
    if verdict.phone_number is not None:
        return verdict.phone_number
    why = "" if verdict.reason is None else f" {REASON_SENTENCES[verdict.reason]}"
    raise InputError(f"NUMBER: the text isn't a phone number ({verdict.reason}).{why}")


def _keep(place: Store, key: str, certificate: Certificate) -> None:
    """Write the certificate; what an earlier one lists is kept in the new one."""
    stored = place.get(key)
    if stored is None:
        place.put_if_absent(key, _encoded(certificate))
        return
    earlier: dict[str, Any] = json.loads(stored.body)
    known = {each.uri: each for each in (ErasedObject(**found) for found in earlier.get("objects", ()))}
    known |= {each.uri: each for each in certificate.objects}
    place.compare_and_swap(key, _encoded(replace(certificate, objects=tuple(known.values()))), stored.version)


def _encoded(certificate: Certificate) -> bytes:
    return json.dumps(certificate.as_json(), indent=1).encode()
