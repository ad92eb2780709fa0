"""Errors of PostgreSQL and Kafka, transient or permanent."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from confluent_kafka import KafkaError, KafkaException
from psycopg import errors as pg


class IngestError(Exception):
    """Base class of the errors that the platform raises on purpose."""


class TransientError(IngestError):
    """An error that passes: a server does not answer, or another run was faster. Retry later."""


class LedgerMovedError(TransientError):
    """The ledger is not at the batch's first offset, because another run committed."""


class TopicChangedError(TransientError):
    """Kafka's topic is not the one in the ledger, or its offsets do not match the ledger."""


class LockBusyError(TransientError):
    """Another run holds the locks of the partitions."""


class PermanentError(IngestError):
    """An error that stays until a person changes the setting or right that the message names."""


class RefusedError(PermanentError):
    """Kafka rejects the login: wrong password, mechanism or certificate."""


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
_PERMANENT_CONNECT = ("28", "3D")  # SQLSTATE classes: wrong password or role, missing database
# Without a connection there is no SQLSTATE, only the server's message.
_REJECTIONS = (
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
_LOGIN_REJECTED = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})
# librdkafka's message about an unusable certificate or key names its own setting.
_FILE_SETTING = re.compile(r"ssl\.(ca|certificate|key)\.location")


def translate(error: Exception) -> IngestError | None:
    """Return the typed error of an exception from psycopg or confluent-kafka.

    Return None for any other exception, which is a defect.
    """
    if isinstance(error, IngestError):
        return error
    if isinstance(error, psycopg.Error):
        return _translate_postgres(error)
    if isinstance(error, KafkaException):
        return _translate_kafka(error)
    if isinstance(error, TimeoutError):  # of a request to Kafka; also after a pause by SIGSTOP
        return TransientError("Kafka did not answer in time.")
    return None


@contextmanager
def translated() -> Generator[None]:
    """Raise the typed error of each exception of psycopg or confluent-kafka in the block."""
    try:
        yield
    except Exception as error:
        raise translate(error) or error from error


def _translate_postgres(error: psycopg.Error) -> IngestError | None:
    state = error.sqlstate or ""  # missing when a connection is lost or was not established
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    rejected = not state and any(rejection in text for rejection in _REJECTIONS)
    if state[:2] in _PERMANENT_CONNECT or rejected:
        message = f"PostgreSQL rejects the connection: {text}. Check TRAFFIC_DATABASE_URL."
        return PermanentError(message)
    if isinstance(error, (*_TRANSIENT_POSTGRES, psycopg.OperationalError, psycopg.InterfaceError)):
        return TransientError(f"PostgreSQL: {text}")
    if isinstance(error, pg.UndefinedTable | pg.InvalidSchemaName | pg.UndefinedFunction):
        return PermanentError(f"PostgreSQL: {text}. Run `traffic up`, which migrates the database.")
    if isinstance(error, pg.InsufficientPrivilege):
        return PermanentError(f"PostgreSQL: {text}. Grant this right to the role of the URL.")
    return None


def missing_right(operation: str, resource: str) -> PermanentError:
    """Return the error of a missing ACL, in the words of kafka-acls: Read, topic traffic-raw."""
    return PermanentError(
        f"Kafka does not allow {operation} on {resource}. Add the ACL."
        " docs/kafka.md lists the permissions of each part of the platform."
    )


def not_allowed(error: KafkaError | None, operation: str, resource: str) -> PermanentError | None:
    """Return the error of a missing ACL when the broker reports one, else None."""
    if error is None or error.code() not in _NOT_ALLOWED:
        return None
    return missing_right(operation, resource)


def _translate_kafka(error: KafkaException) -> IngestError:
    reason = error.args[0]
    if not isinstance(reason, KafkaError):
        return TransientError(f"Kafka: {reason}")
    code = reason.code()
    if code in _LOGIN_REJECTED:
        return RefusedError(
            f"Kafka rejects the login: {reason.str()}. Check TRAFFIC_KAFKA_SASL_… ."
        )
    if code in _NOT_ALLOWED:
        message = f"Kafka denies access: {reason.str()}. Add the ACL; docs/kafka.md lists them."
        return PermanentError(message)
    if code == KafkaError._INVALID_ARG:
        return PermanentError(_setting_refused(reason.str()))
    return TransientError(f"Kafka: {reason}")


def _setting_refused(text: str) -> str:
    """Return a message that names our setting instead of librdkafka's."""
    setting = _FILE_SETTING.search(text)
    if setting is None:
        return f"Kafka's client rejects the settings: {text}. Check TRAFFIC_KAFKA_… ."
    name = f"TRAFFIC_KAFKA_{setting.group().replace('.', '_').upper()}"
    password = ", and that TRAFFIC_KAFKA_SSL_KEY_PASSWORD opens it" if "KEY" in name else ""
    advice = f"Check that it is a PEM file of the right kind{password}."
    return f"{name} cannot be used ({text}). {advice}"
