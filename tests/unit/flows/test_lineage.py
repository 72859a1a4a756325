"""What Prefect is told of a campaign's lists and results: their places, and no phone number."""

import pytest

from globe_sms.flows.orchestration.lineage import assets_of


@pytest.mark.parametrize(
    "uri",
    [
        "s3://lists/+6581234567.csv",
        "s3://lists/6581234567.csv",
        "s3://lists/%2B6581234567/a.csv",
        "s3://lists/for 6581234567.csv",
        "s3://lists/tel-006581234567.csv",
        "s3://lists/tel6581234567_a.csv",
        "/srv/lists/a.csv",
        "https://crm.example/a.csv?token=s3cret",
    ],
)
def test_a_place_with_a_number_or_outside_of_s3_is_no_asset(uri: str) -> None:
    assert assets_of(uri) == ()


@pytest.mark.parametrize(
    "uri",
    [
        "s3://lists/2026/11/30/a.csv",
        "s3://lists/date=20261130/20261130120000.parquet",
        "s3://out/campaign-0a6581234567/results.parquet",
    ],
)
def test_dates_and_ids_are_kept(uri: str) -> None:
    assert [each.key for each in assets_of(uri)] == [uri]
