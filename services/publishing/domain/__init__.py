"""The pure rules of publishing: what may be written, when it may change state, what readers get."""
