"""The service's own collections: subscribers, campaigns, webhooks, alarms. Holds no rules."""
