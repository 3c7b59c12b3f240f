"""Our own record: tickets, reports and the log, and the file they are kept in."""
