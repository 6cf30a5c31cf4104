"""Who is told what: what a notification says, for whom, and the sending of it."""
