from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "config"
    label = "platform"

    def ready(self) -> None:
        from config import checks  # noqa: F401, PLC0415  (being imported registers them)
