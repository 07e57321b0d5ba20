"""The only room that talks to the broker. Promises: confirmed means queued, unacknowledged means it comes again."""
