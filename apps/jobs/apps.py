from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "apps.jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        # Every process that may send a message needs the configured application as Celery's default, not only workers.
        from apps.jobs import broker  # noqa: F401, PLC0415  (models are there only now)
