"""Lists made at random, and PostgreSQL as their judge: what the naive loop ends in is what a start and the history must end in."""
