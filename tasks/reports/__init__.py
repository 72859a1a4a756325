"""What people read: preview, campaign report, delivery report, cost."""
