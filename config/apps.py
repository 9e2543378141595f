from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class PlatformConfig(AppConfig):
    name = "config"
    label = "platform"

    def ready(self) -> None:
        from config import checks  # noqa: F401, PLC0415  (being imported registers them)
        from config.postgresql.isolation import secure  # noqa: PLC0415  (models can be imported only now)

        *_, last = (each for each in apps.get_app_configs() if each.models_module)
        post_migrate.connect(secure, sender=last)


class ConsoleConfig(AdminConfig):
    default_site = "apps.accounts.site.ConsoleSite"

    def ready(self) -> None:
        from unfold import fields  # noqa: PLC0415  (it imports models)

        from apps.accounts.shown_json import shown_json  # noqa: PLC0415

        # Unfold has no setting for it.
        fields.prettify_json = shown_json
        super().ready()
