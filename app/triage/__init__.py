"""What happens to a ticket: routing, urgency and priority, SLA clocks. Pure functions."""
