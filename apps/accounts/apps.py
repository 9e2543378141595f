from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        from apps.accounts.roles import give_permissions  # noqa: PLC0415  (models can be imported only now)

        # Sent for one app with models after the other: at the last one's turn all have their permissions.
        *_, last = (each for each in apps.get_app_configs() if each.models_module)
        post_migrate.connect(give_permissions, sender=last)
