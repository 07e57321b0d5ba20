"""Everything in one process, and the tools around it: the embedded stack, the demo, the command line's client."""
