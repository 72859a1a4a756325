"""The Prefect block of an Alibaba SMS account: its key, its endpoint and its limits.

`globe-sms deploy` registers it, and so does `prefect block register -m globe_sms.tasks.blocks`.
"""

from prefect.blocks.core import Block
from pydantic import ConfigDict

from globe_sms.tasks.runs.account_settings import AccountSettings
from globe_sms.tasks.runs.read_block import ACCOUNT_BLOCK


class AlibabaSmsAccount(AccountSettings, Block):
    """An Alibaba Cloud account that sends texts: its key, its endpoint, its limits.

    Campaigns name it (`account`), so a new limit or key is entered here once. Empty fields come from the run's
    environment.
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # the input holds the secret

    _block_type_name = "Alibaba SMS account"
    _block_type_slug = ACCOUNT_BLOCK
    # No logo: Prefect's client takes only http(s) URLs, and a page must not call other hosts.
    _description = "An Alibaba Cloud account that sends texts by BatchSendMessageToGlobe: key, endpoint and limits."
    _code_example = """\
```python
from globe_sms.tasks.blocks import AlibabaSmsAccount

account = AlibabaSmsAccount.load("production")
print(account.test_connection())  # sends nothing
```
A campaign takes its name:
```sh
globe-sms send s3://lists/members.csv --account production ...
```"""
