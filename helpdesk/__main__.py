"""`python -m helpdesk` is `helpdesk`."""

from helpdesk.start import main

if __name__ == "__main__":
    raise SystemExit(main())
