"""The ledger of outside effects: what must happen once, what became of it, and what nobody can know."""
