"""Is the compiled history worth the list? Equivalence on real databases, and the certificate that says so."""
