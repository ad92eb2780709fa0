"""What can go wrong in ingest, sorted by what the caller should do."""

from __future__ import annotations

import re

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


class RefusedError(PermanentError):
    """Kafka does not let us in: password, mechanism or certificate are not what it wants."""


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
    pg.ReadOnlySqlTransaction,  # a standby after a failover, or a full disk at a provider
)
_PERMANENT_CONNECT = ("28", "3D")  # SQLSTATE classes: wrong password or role, no such database
# A connection that was never made has no SQLSTATE, only what the server said.
_REFUSALS = (
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "no password supplied",
    "not permitted to log in",
)
_NOT_ALLOWED = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
_NOT_LET_IN = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})
# What librdkafka says of a certificate or key that it cannot use names its own setting.
_FILE_SETTING = re.compile(r"ssl\.(ca|certificate|key)\.location")


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
    state = error.sqlstate or ""  # none where a connection is gone, or was never made
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    refused = not state and any(refusal in text for refusal in _REFUSALS)
    if state[:2] in _PERMANENT_CONNECT or refused:
        return PermanentError(f"PostgreSQL refuses us: {text}. Check TRAFFIC_DATABASE_URL.")
    if isinstance(error, (*_TRANSIENT_POSTGRES, psycopg.OperationalError, psycopg.InterfaceError)):
        return TransientError(f"PostgreSQL: {text}")
    if isinstance(error, pg.UndefinedTable | pg.InvalidSchemaName | pg.UndefinedFunction):
        return PermanentError(f"PostgreSQL: {text}. Run `traffic up`, which migrates the database.")
    if isinstance(error, pg.InsufficientPrivilege):
        return PermanentError(f"PostgreSQL: {text}. Grant it to the role of the URL.")
    return None


def missing_right(operation: str, resource: str) -> PermanentError:
    """`operation` and `resource` in the words of kafka-acls: Read, topic traffic-raw."""
    return PermanentError(
        f"Kafka does not allow {operation} on {resource}: add the ACL."
        " docs/kafka.md lists what each part of the platform needs."
    )


def not_allowed(error: KafkaError | None, operation: str, resource: str) -> PermanentError | None:
    """The right that is missing, where this is what the broker's error says."""
    if error is None or error.code() not in _NOT_ALLOWED:
        return None
    return missing_right(operation, resource)


def _translate_kafka(error: KafkaException) -> IngestError:
    reason = error.args[0]
    if not isinstance(reason, KafkaError):
        return TransientError(f"Kafka: {reason}")
    code = reason.code()
    if code in _NOT_LET_IN:
        return RefusedError(f"Kafka refuses us: {reason.str()}. Check TRAFFIC_KAFKA_SASL_… .")
    if code in _NOT_ALLOWED:
        return PermanentError(f"Kafka does not allow it: {reason.str()}. docs/kafka.md lists ACLs.")
    if code == KafkaError._INVALID_ARG:
        return PermanentError(_setting_refused(reason.str()))
    return TransientError(f"Kafka: {reason}")


def _setting_refused(text: str) -> str:
    """librdkafka does not take a setting of ours: which one, in our words."""
    setting = _FILE_SETTING.search(text)
    if setting is None:
        return f"Kafka's client refuses the settings: {text}. Check TRAFFIC_KAFKA_… ."
    name = f"TRAFFIC_KAFKA_{setting.group().replace('.', '_').upper()}"
    password = ", and that TRAFFIC_KAFKA_SSL_KEY_PASSWORD opens it" if "KEY" in name else ""
    return f"{name} cannot be used ({text}): see that it is a PEM file of the right kind{password}."
