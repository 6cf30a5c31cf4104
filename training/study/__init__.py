"""The study of techniques: each alone against the plain adapter, on the same rows."""
