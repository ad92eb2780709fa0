"""Speed, latency, memory and storage, measured on this machine. See README.md."""
