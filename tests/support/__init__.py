"""What the tests stand on: a real PostgreSQL for all of them, the whole platform and a browser for some."""
