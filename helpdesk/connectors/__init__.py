"""The provider's truth: users, factors and what happened to them, one file a provider."""
