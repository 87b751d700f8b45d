"""What is measured: one module a kind of start. Each returns plain values, as they stand in results.json."""
