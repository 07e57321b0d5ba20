"""What this service teaches the delivery worker: mail, webhooks, and how deliveries add up."""
