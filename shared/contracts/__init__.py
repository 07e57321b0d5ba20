"""The published language of Herald: every event any service sends, as models. Never does input or output."""
