"""What the command line answers as text that a person reads: a module a subject."""
