from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PlatformConfig(AppConfig):
    name = "config"
    label = "platform"

    def ready(self) -> None:
        from config import checks  # noqa: F401, PLC0415  (being imported registers them)


class ConsoleConfig(AdminConfig):
    default_site = "apps.accounts.site.ConsoleSite"

    def ready(self) -> None:
        from unfold import fields  # noqa: PLC0415  (it imports models)

        from apps.accounts.shown_json import shown_json  # noqa: PLC0415

        # Unfold has no setting for it.
        fields.prettify_json = shown_json
        super().ready()
