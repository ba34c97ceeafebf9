"""AI-interview platforms of others: one interface, whatever theirs looks like."""
