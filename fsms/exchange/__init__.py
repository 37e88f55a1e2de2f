"""Files in and out of the school's records. Knows no page."""
