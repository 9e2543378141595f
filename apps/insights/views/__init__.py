"""The dashboards (`dashboards`), the whole of a ranking (`items`), and what people say of its items (`reviews`)."""
