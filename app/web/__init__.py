"""What people and programs see: pages, the HTTP API, the stream."""
