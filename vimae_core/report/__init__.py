"""What the notebooks show: parameters, figures, tables, provenance and verdicts."""
