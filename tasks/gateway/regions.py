"""The regions with an endpoint of the API.

Source: https://www.alibabacloud.com/help/en/sms/developer-reference/api-dysmsapi-2018-05-01-endpoint
"""

from enum import StrEnum
from typing import Final


class Region(StrEnum):
    """A region of Alibaba Cloud; its value is the region id."""

    SINGAPORE = "ap-southeast-1"
    JAKARTA = "ap-southeast-5"
    FRANKFURT = "eu-central-1"
    HONG_KONG = "cn-hongkong"
    HANGZHOU = "cn-hangzhou"
    SHENZHEN = "cn-shenzhen"
    CHENGDU = "cn-chengdu"
    QINGDAO = "cn-qingdao"
    ZHANGJIAKOU = "cn-zhangjiakou"
    HOHHOT = "cn-huhehaote"

    @property
    def endpoint(self) -> str:
        """The URL of the region's public endpoint."""
        host = f"dysmsapi.{self.value}.aliyuncs.com" if self in _WITH_OWN_HOST else "dysmsapi.aliyuncs.com"
        return f"https://{host}"


_WITH_OWN_HOST: Final = {Region.SINGAPORE, Region.JAKARTA, Region.FRANKFURT}
