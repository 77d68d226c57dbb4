"""Random models against the real software: drawing, evaluating, comparing, reducing."""
