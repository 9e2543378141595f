"""Writes of insights: what a run has computed (`storing`), what people say of it (`reviewing`), what they choose it to
be computed with (`choosing`)."""
