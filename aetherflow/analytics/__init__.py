"""Methods without departments: forecasts, demand and anomalies over plain arrays, each with its source."""
