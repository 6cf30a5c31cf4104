"""Text as it comes in: decoded, cleaned, redacted, and split into fields, times and rows."""
