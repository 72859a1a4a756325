"""Where a policy is found, what it may say, and what is said about a wrong one."""

import tomllib
from pathlib import Path

import pytest

from globe_sms.tasks.account.account import Account
from globe_sms.tasks.account.policy_location import PolicyFile
from globe_sms.tasks.policy.read_policy import parse_policy, read_policy
from globe_sms.tasks.policy.rules import Budget, Frequency, PolicyRules
from globe_sms.tasks.policy.template import policy_template
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

WHOLE = """
suppress = ["s3://lists/opt-outs.csv", "s3://lists/calls.csv#no-header,number-column=2"]
hours = "9:00-20:00"
allow-country = ["sg", "MY"]
deny-country = "RU"
repeat-after = "7d"
approve-above = 1_000
time-zone = "Asia/Singapore"
prices = "s3://lists/prices.csv"

[frequency]
texts = 3
days = 7

[budget.day]
numbers = 100_000
cost = 500

[budget.month]
parts = 1_000_000
"""


def no_s3() -> S3Access:
    raise AssertionError


def rules_of(text: str) -> PolicyRules:
    return parse_policy(PolicyFile("s3://b/.globe-sms/policy.toml", text.encode())).rules


def write(folder: Path, text: str = "hours = '09:00-20:00'") -> Path:
    path = folder / ".globe-sms" / "policy.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_policy_says_all_of_its_rules() -> None:
    rules = rules_of(WHOLE)
    assert (rules.hours, rules.allow_country, rules.deny_country) == ("09:00-20:00", ("MY", "SG"), ("RU",))
    assert rules.frequency == (Frequency(texts=3, days=7),)
    assert (rules.budget.day.numbers, rules.budget.day.cost, rules.budget.month) == (100_000, 500, Budget(parts=10**6))
    assert (rules.approve_above, rules.repeat_after, len(rules.suppress)) == (1_000, "7d", 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hour = '09:00-20:00'", "hour: unknown key: did you mean hours?"),
        ("allow_country = ['SG']", "allow_country: unknown key: did you mean allow-country?"),
        ("opted = 3", "opted: unknown key: write one of suppress, hours"),
        ("[budget.day]\nnumber = 3", r"budget\.day\.number: unknown key: did you mean numbers?"),
        ("[budget.week]\nnumbers = 3", r"budget\.week: unknown key: write one of day, month"),
        ("[[frequency]]\ntexts = 1\ndays = 1\nday = 2", r"frequency\.day: unknown key: did you mean days?"),
        ("hours = '9-20'", r"hours: '9-20' aren't valid hours.*for example: hours = \"09:00-20:00\""),
        ("hours = 9", r"hours: it isn't text in quotes \(for example: hours = \"09:00-20:00\"\)"),
        ("allow-country = ['XX']", "allow-country: unknown country among 'XX'"),
        ("approve-above = true", r"approve-above: it isn't a whole number \(for example: approve-above = 1_000\)"),
        ("approve-above = -1", "approve-above: it must be greater than or equal to 0"),
        ("[budget.day]\nnumbers = '3'", r"budget\.day\.numbers: it isn't a whole number .*numbers = 100_000"),
        ("budget = 3", r"budget: it isn't a table of its own \(for example: \[budget\.day\]\)"),
        ("[frequency]\ntexts = 2", r"frequency\.days: it is missing \(for example: days = 7\)"),
        ("[frequency]\ntexts = 0\ndays = 7", r"frequency\.texts: it must be greater than or equal to 1"),
        ("time-zone = 'Mars'", "time-zone: 'Mars' is an unknown time zone"),
        ("repeat-after = '2 weeks'", "repeat-after: '2 weeks' isn't a duration"),
        ("suppress = ['']", "suppress: item 1 is blank"),
        ("[budget.day]\ncost = 3", "budget: the cost is unknown without prices: write prices = "),
        ("[frequency]\ntexts = 9_999_999\ndays = 7", r"frequency\.texts: it must be less than or equal to 1000000"),
        ("[frequency]\ntexts = 1\ndays = true", r"frequency\.days: it isn't a number \(for example: days = 7\)"),
        ("approve-above = " + 5_000 * "1", "the policy has a number that's too long"),
        ("suppress = " + 5_000 * "[", "the policy has .* brackets nested too deep"),
        ("hours", "the policy isn't valid TOML: .*line|the policy isn't valid TOML: .*end of document"),
    ],
)
def test_a_wrong_key_is_named_with_its_file_and_what_to_write(text: str, words: str) -> None:
    with pytest.raises(InputError, match=rf"^s3://b/\.globe-sms/policy\.toml: (?:{words})"):
        rules_of(text)


def test_the_example_of_the_page_for_operators_is_a_policy_with_every_rule() -> None:
    page = (Path(__file__).parents[3] / "flows" / "manual" / "opt-outs.md").read_text(encoding="utf-8")
    example = page.split("## Policy\n")[1].split("```toml\n")[1].split("```")[0]
    assert tomllib.loads(example).keys() == {field.alias for field in PolicyRules.model_fields.values()}
    assert rules_of(example).budget.month.numbers == 1_000_000


def test_a_policy_that_an_editor_saved_with_a_byte_order_mark_is_read() -> None:
    assert rules_of("\ufeffhours = '09:00-20:00'").hours == "09:00-20:00"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        rules_of("hours = 'x'\napprove-above = -1\nzzz = 1")
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == ["hours", "approve-above", "zzz"]


def test_a_file_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(InputError, match="save it as UTF-8"):
        parse_policy(PolicyFile("policy.toml", "hours = '09:00-20:00' # é".encode("latin-1")))


def test_the_usual_place_is_the_results_directory_and_none_there_is_no_policy(tmp_path: Path) -> None:
    assert read_policy(Account({}), str(tmp_path), no_s3) is None
    path = write(tmp_path)
    policy = read_policy(Account({}), f"{tmp_path}/", no_s3)
    assert policy is not None
    assert (policy.place, policy.named_by, policy.rules.hours) == (str(path), None, "09:00-20:00")


def test_the_usual_place_on_s3_is_the_top_of_the_bucket(s3_access: S3Access) -> None:
    client = s3_access.client()
    client.create_bucket(Bucket="with-policy")
    client.put_object(Bucket="with-policy", Key=".globe-sms/policy.toml", Body=b"deny-country = 'FR'")
    policy = read_policy(Account({}), "s3://with-policy/some/prefix", lambda: s3_access)
    assert policy is not None
    assert (policy.place, policy.rules.deny_country) == ("s3://with-policy/.globe-sms/policy.toml", ("FR",))


def test_the_block_names_it_before_the_environment_and_that_before_the_usual_place(tmp_path: Path) -> None:
    write(tmp_path, "hours = '01:00-02:00'")
    ours, theirs = tmp_path / "ours.toml", tmp_path / "theirs.toml"
    ours.write_text("hours = '02:00-03:00'")
    theirs.write_text("hours = '03:00-04:00'")
    environ = {"GLOBE_SMS_POLICY": str(theirs)}
    of_block = read_policy(Account(environ, policy=str(ours)), str(tmp_path), no_s3)
    of_variable = read_policy(Account(environ), str(tmp_path), no_s3)
    assert of_block is not None
    assert (of_block.named_by, of_block.rules.hours) == ("the account block", "02:00-03:00")
    assert of_variable is not None
    assert (of_variable.named_by, of_variable.rules.hours) == ("GLOBE_SMS_POLICY", "03:00-04:00")


@pytest.mark.parametrize("account", [Account({}, policy="gone.toml"), Account({"GLOBE_SMS_POLICY": "gone.toml"})])
def test_a_policy_that_is_named_and_is_not_there_stops_the_run(account: Account, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.toml: the policy that .* names doesn't exist, so nothing is sent"):
        read_policy(account, str(tmp_path), no_s3)


@pytest.mark.parametrize("place", ["a\0b.toml", "~nobody-here/policy.toml", "https://example.com/policy.toml"])
def test_a_place_that_is_no_path_at_all_stops_the_run(place: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the policy can't be read, so nothing is sent: "):
        read_policy(Account({}, policy=place), str(tmp_path), no_s3)


def test_one_at_the_usual_place_that_cannot_be_read_stops_the_run(tmp_path: Path) -> None:
    """A directory, or a link that leads nowhere, isn't "no policy"."""
    (tmp_path / "one" / ".globe-sms" / "policy.toml").mkdir(parents=True)
    (tmp_path / "two" / ".globe-sms").mkdir(parents=True)
    (tmp_path / "two" / ".globe-sms" / "policy.toml").symlink_to(tmp_path / "nowhere")
    for folder in ("one", "two"):
        with pytest.raises(InputError, match="the policy can't be read, so nothing is sent"):
            read_policy(Account({}), str(tmp_path / folder), no_s3)


def test_the_pacing_folder_that_campaigns_share_may_have_the_policy_and_two_are_refused(tmp_path: Path) -> None:
    environ = {"GLOBE_SMS_PACING": str(tmp_path / "shared")}
    write(tmp_path / "shared", "deny-country = 'FR'")
    found = read_policy(Account(environ), str(tmp_path / "out"), no_s3)
    assert found is not None
    assert found.rules.deny_country == ("FR",)
    write(tmp_path / "out")
    with pytest.raises(InputError, match=r"Two policies exist.*keep one of them"):
        read_policy(Account(environ), str(tmp_path / "out"), no_s3)


def test_the_template_has_no_rules_until_the_marks_are_removed() -> None:
    template = policy_template()
    assert rules_of(template) == PolicyRules()
    commented = [line.removeprefix("# ") for line in template.splitlines() if line.startswith("# ")]
    lines = [line for line in commented if line.startswith("[") or " = " in line.split("#")[0]]
    written = tomllib.loads("\n".join(lines))
    assert written.keys() == {field.alias for field in PolicyRules.model_fields.values()}
    assert rules_of("\n".join(lines)).budget.month.numbers is not None
