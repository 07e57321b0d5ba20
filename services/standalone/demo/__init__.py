"""The main job, end to end, judged by the receiving side."""
