"""Places the agent can be: they hold the state, ask the desk and hand values down."""
