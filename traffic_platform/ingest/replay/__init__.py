"""Quarantine that is worked off: decoded again by today's code and settings.

    run      chunk after chunk, and what came of it
    chunk    a chunk of quarantine as columns, read and decoded
    build    what a chunk's transaction writes, encoded before it is open
    commit   the transaction

What passes now becomes an event, with the message's own provenance, in one transaction a chunk: its
rows, its reading, the mark in quarantine, its number for publishing, and audit rows with signed
differences. Windows hold the rebuild lock shared, a replay exclusively, so that no reading loses to
one that is about to change, and two replays never let in a message twice.
"""

from traffic_platform.ingest.replay.run import ReplayReport, replay_quarantine

__all__ = ["ReplayReport", "replay_quarantine"]
