"""Questions to many rows, answered as frozen lines: what is missing, who is absent, averages and ranks. Read only."""
