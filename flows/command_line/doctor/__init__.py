"""The checks of `globe-sms doctor`: each says what is wrong and what to do, and none sends anything."""
