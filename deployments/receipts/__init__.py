"""The endpoint that takes Alibaba's delivery receipts by HTTP push and keeps them on S3 or in a directory."""
