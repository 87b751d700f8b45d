"""Side by side in one go: the bridge, the loop that it takes the place of, and its peers. Run: make bench."""
