"""The orchestrator's writes, a module a subject: submission, transitions, dispatch, the two stages' work, undo, retry.

One module would pass 800 lines, and its halves change for different reasons.
"""
