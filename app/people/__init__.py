"""People: users, teams, tokens, sign-in, audit."""
