"""Records in, outcomes out: what a partial failure does is chosen in the code."""
