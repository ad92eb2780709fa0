"""What can go wrong in ingest, sorted by what the caller should do."""

from __future__ import annotations

import psycopg
from confluent_kafka import KafkaError, KafkaException
from psycopg import errors as pg


class IngestError(Exception):
    """The base of what ingest raises on purpose."""


class TransientError(IngestError):
    """PostgreSQL or Kafka is away, or another window was faster: try again from the ledger."""


class LedgerMovedError(TransientError):
    """The ledger is not where the batch started from: another window committed. Read it again."""


class TopicChangedError(TransientError):
    """The topic is no longer the one in the ledger, or its log begins or ends elsewhere."""


class LockBusyError(TransientError):
    """Another window holds the partitions."""


class PermanentError(IngestError):
    """Waiting will not help: somebody must change a setting or a right. The message says what."""


_TRANSIENT_POSTGRES = (
    pg.DeadlockDetected,
    pg.SerializationFailure,
    pg.LockNotAvailable,
    pg.AdminShutdown,
    pg.CrashShutdown,
    pg.CannotConnectNow,
    pg.TooManyConnections,
    pg.IdleInTransactionSessionTimeout,
    pg.QueryCanceled,
    pg.DiskFull,
)
_PERMANENT_CONNECT = ("28", "3D")  # SQLSTATE classes: wrong password or role, no such database
_PERMANENT_KAFKA = (
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError._INVALID_ARG,
)


def translate(error: Exception) -> IngestError | None:
    """Sort an exception of psycopg or confluent-kafka; None: it is neither, a defect of ours."""
    if isinstance(error, IngestError):
        return error
    if isinstance(error, psycopg.Error):
        return _translate_postgres(error)
    if isinstance(error, KafkaException):
        return _translate_kafka(error)
    if isinstance(error, TimeoutError):  # of a request to Kafka; also after a pause by SIGSTOP
        return TransientError("Kafka did not answer in time")
    return None


def _translate_postgres(error: psycopg.Error) -> IngestError | None:
    # A connection that is gone has no SQLSTATE; neither has one that was never made.
    state = error.sqlstate or ""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if state[:2] in _PERMANENT_CONNECT or "authentication failed" in text:
        return PermanentError(f"PostgreSQL refuses us: {text}. Check TRAFFIC_DATABASE_URL.")
    if isinstance(error, (*_TRANSIENT_POSTGRES, psycopg.OperationalError, psycopg.InterfaceError)):
        return TransientError(f"PostgreSQL: {text}")
    if isinstance(error, pg.UndefinedTable | pg.InvalidSchemaName | pg.UndefinedFunction):
        return PermanentError(f"PostgreSQL: {text}. Run `traffic up`, which migrates the database.")
    if isinstance(error, pg.InsufficientPrivilege):
        return PermanentError(f"PostgreSQL: {text}. Grant it to the role of the URL.")
    return None


def _translate_kafka(error: KafkaException) -> IngestError:
    reason = error.args[0]
    if isinstance(reason, KafkaError) and reason.code() in _PERMANENT_KAFKA:
        return PermanentError(f"Kafka refuses us: {reason.str()}. Check TRAFFIC_KAFKA_… settings.")
    return TransientError(f"Kafka: {reason}")
