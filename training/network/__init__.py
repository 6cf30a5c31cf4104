"""The network in training: its shape, attention, losses, and how it is opened again."""
