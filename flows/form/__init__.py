"""The form of each flow."""
