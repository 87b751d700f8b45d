"""The start with nothing to do: one question to the server, whose answer the last start has recorded beside it."""
