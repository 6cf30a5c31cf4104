"""Alerts: rules, surge statistics, alert states, silences, back-tests."""
