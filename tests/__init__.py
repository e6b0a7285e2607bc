"""The tests; those that hold an equation are cited in the book."""
