"""The names producers and workers share: queues as Celery knows them, tasks, headers. Nowhere else."""

ETL = "etl"
ML = "ml"

ETL_TASK = "jobs.etl"
ML_TASK = "jobs.ml"
INVALID_TASK = "jobs.invalid_message"
# Of what asks for no work, and is acknowledged.
NOTED_TASK = "jobs.noted_message"

# A queue works its own task and nothing else; this is the allow-list of the transport.
TASK_OF_QUEUE = {ETL: ETL_TASK, ML: ML_TASK}

JOB_ID_HEADER = "job_id"
REQUEST_ID_HEADER = "request_id"
FOREIGN_HEADER = "foreign"
# On an ETL message of a job whose stage somebody has claimed, and asks for help with its file.
HELP_HEADER = "help"
