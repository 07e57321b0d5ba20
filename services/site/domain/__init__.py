"""The rules of the readers' pages: what is shown, in which words. Never does input or output."""
