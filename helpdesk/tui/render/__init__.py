"""How domain values look: the one place where they become text on a screen."""
