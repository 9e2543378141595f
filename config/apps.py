from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PlatformConfig(AppConfig):
    name = "config"
    label = "platform"

    def ready(self) -> None:
        from config import checks  # noqa: F401, PLC0415  (being imported registers them)


class ConsoleConfig(AdminConfig):
    default_site = "apps.accounts.site.ConsoleSite"
