"""The SQL of people: users, teams, tokens, sessions, sign-in links and failed sign-ins."""
