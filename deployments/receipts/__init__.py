"""The endpoint that receives Alibaba's delivery receipts by HTTP push, and stores them on S3 or in a directory."""
