"""The desk: tickets, customers, queues, SLA, routing, mail, bulk work, reports, imports."""
