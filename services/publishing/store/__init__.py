"""Where publishing keeps things in MongoDB. Promises: one act is one document update, or nothing."""
