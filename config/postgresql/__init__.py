"""PostgreSQL for Django, with list-partitioned tables declared by a mixin of the model."""
