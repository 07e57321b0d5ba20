"""Standard Webhooks out: signed, to public addresses only. Never follows a redirect."""
