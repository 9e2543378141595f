"""What the platform promises about speed and memory, measured on the running platform; see README.md."""
