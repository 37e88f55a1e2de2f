"""What the school does, as verbs. The session is an argument; they flush and never commit."""
