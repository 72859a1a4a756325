"""How variants, a holdout and texts by language are written, and what of them is refused."""

from typing import Any

import pytest

from globe_sms.tasks.campaign.config import CampaignConfig, wording_of
from globe_sms.tasks.campaign.experiment import read_by_language, read_holdout, read_variants, upper_bounds
from globe_sms.tasks.vocabulary.errors import InputError

OPTIONS: dict[str, Any] = {"recipients": "a.csv", "type": "MKT", "results": "out"}


def refusal(**options: Any) -> str:
    with pytest.raises(InputError) as caught:
        CampaignConfig.checked(**OPTIONS, **options)
    return str(caught.value)


def test_shares_are_relative_to_their_sum_and_equal_if_none_is_given() -> None:
    """The text is everything after the first equals sign, line breaks too."""
    shares = {each.name: each.share for each in read_variants(["A:70=x", "B : 30 % =y=z\n"])}
    assert shares == {"A": 0.7, "B": 0.3}
    variants = read_variants(["A=a", "B=b=c\n", "C_1-x=c"])
    assert [each.text for each in variants] == ["a", "b=c\n", "c"]
    assert [each.share for each in variants] == [1 / 3] * 3
    assert upper_bounds(variants)[-1] == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"variant": ["Hello"]}, "--variant: 'Hello' isn't a variant: write A=the text"),
        ({"variant": ["A=x", "A=y"]}, "--variant: the variant A is there twice"),
        ({"variant": ["A:1=x", "B=y"]}, "--variant: give every variant a share above 0"),
        ({"variant": ["A:0=x", "B:1=y"]}, "--variant: give every variant a share above 0"),
        ({"variant": ["A=x", "B= "]}, "--variant: variant B: the text is blank"),
        ({"variant": ["A=x", "B={name"]}, "--variant: variant B: the { at character 1"),
        ({"variant": ["A=x", "B=123"], "max_characters": 2}, "--variant B: the text has 3 characters"),
        ({"variant": ["A=x", "B=y"], "message": "z"}, "--message and --variant exclude each other"),
        ({"variant": "A=x", "message_by_language": "de=y"}, "--variant and --message-by-language exclude each other"),
        ({"message_by_language": "de=y", "message_column": "text"}, "--message-column and --message-by-language"),
        ({"message_by_language": ["de=x", "DE=y"]}, "--message-by-language: the language DE is there twice"),
        ({"message_by_language": ["German: x"]}, "isn't a text by language: write de=the text"),
        ({"message": "x", "holdout": "5"}, "--holdout: give a percentage above 0 and below 100, such as 5%"),
        ({"message": "x", "holdout": "0%"}, "--holdout: give a percentage"),
        ({"message": "x", "holdout": "100%"}, "--holdout: give a percentage"),
        ({}, "--message: the message is blank"),
    ],
)
def test_what_cannot_be_an_experiment_is_refused_by_its_option(options: dict[str, Any], said: str) -> None:
    assert said in refusal(**options)


def test_a_holdout_is_a_percentage() -> None:
    assert [read_holdout(each) for each in ("5%", " 2.5 %")] == [0.05, 0.025]
    assert read_by_language(["pt_BR=Oi", "pt=Olá"]) == {"pt-BR": "Oi", "pt": "Olá"}


def test_settings_hold_them_only_if_they_are_given_and_the_wording_comes_back_from_them() -> None:
    """So campaigns without them have the ids that they had."""
    plain = CampaignConfig.checked(**OPTIONS, message="Hi")
    assert not {"variant", "holdout", "message_by_language", "language_column"} & plain.frozen_settings().keys()
    assert plain.campaign_for(("x",)) == "campaign-a97db7a21b2f"
    for options in ({"variant": ["A=x", "B={n}"]}, {"message_by_language": ["de=x"], "message": "y"}):
        config = CampaignConfig.checked(**OPTIONS, **options)
        assert wording_of(config.frozen_settings()) == config.wording
        assert CampaignConfig.checked(**config.options()) == config
