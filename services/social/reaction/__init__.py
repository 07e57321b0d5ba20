"""The public's reaction to our posts, read back from the networks. Never competes with posting."""
