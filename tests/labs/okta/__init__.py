"""A small Okta: an organisation in memory behind the addresses that Okta documents."""
