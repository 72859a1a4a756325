"""The flow as a deployment named `manual`, served by this process until it is told to end; its poll is quick."""

import sys

from globe_sms.flows.send_campaign import send_campaign

if __name__ == "__main__":
    send_campaign.serve(
        name="manual",
        description="Started by hand: shows a preview and asks before it sends.",
        tags=["sms"],
        parameters={
            "approve_above": 0,
            "results": sys.argv[1],
            "account_and_rate": {"calls_per_second": float(sys.argv[2])},
        },
    )
