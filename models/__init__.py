"""The code that training and serving share and that must be identical in both: text, labels, network, artifact."""
