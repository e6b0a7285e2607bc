"""What the book concludes from the reference runs, chapter by chapter: tables of sentences with what holds them."""
