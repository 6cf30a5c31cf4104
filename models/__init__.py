"""What must be identical in training and serving: text, labels, examples, the network, the artifact."""
