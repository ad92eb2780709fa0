"""The sensors that tell a webhook of failed checks and runs."""
