"""Writes of insights: what a run has computed (`storing`, `comparing_anew`), what people say of it (`reviewing`,
`snoozing`, and what both share in `naming`), what they choose it to be computed with (`choosing`)."""
