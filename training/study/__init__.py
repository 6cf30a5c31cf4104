"""Studies that compare ways of training on capped data: techniques, adapters, and few examples per label."""
