"""The only room that talks to MongoDB. Promises: what it says is written survives a crash (majority)."""
