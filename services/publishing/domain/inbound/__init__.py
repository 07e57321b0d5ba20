"""What another CMS tells us: is it really from there, and what does it ask for. Pure."""
