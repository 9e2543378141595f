"""Celery on SQS, hardened: the contract messages, the queues, the transport, the visibility heartbeat.

Nothing here imports Django or its models: `settings.SqsSettings` is handed in, `celery_config.celery_settings`
turns it into Celery's configuration and `celery_config.install` puts the worker's guards in place.
"""
