"""The self-repair at start, in the order of its way: start, repair, schedule; preview and background beside it; run is its values."""
