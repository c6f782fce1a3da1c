"""JSON lines that carry the correlation, the DEBUG decision, and the flight recorder."""
