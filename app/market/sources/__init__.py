"""What reads from outside."""
