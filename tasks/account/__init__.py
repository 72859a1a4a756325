"""The Alibaba account that a run sends from."""
