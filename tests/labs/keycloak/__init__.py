"""A small Keycloak: a realm in memory behind the addresses that Keycloak documents."""
