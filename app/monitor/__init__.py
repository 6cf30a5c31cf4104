"""What the market says: mentions, series, rules, the next state of alerts. Pure functions."""
