"""The orchestrator's writes, a module a subject, since one would pass 800 lines and change for many reasons:

submission (uploads, new jobs) · transitions (the state machine) · dispatch (the outbox) · claims (who may work a stage)
· etl and ml (the stages' work) · foreign (messages of other producers) · again (retry, reprocess, undo) · cancelling ·
operations (one act on many) · rescue (what nobody works on any more) · dead_letters (redrive, discard, purge) · workers
(signs of life) · pruning (what is of no more use) · telling (what the audit calls jobs).
"""
