"""Authentication errors of a Kafka client, which librdkafka reports only to a callback.

librdkafka retries a rejected login without end, so a request with a wrong password times out like
a request to a broker that is down. Each client that sends requests therefore keeps its brokers'
errors here. A rejection counts once it has lasted two seconds and no broker has answered: another
broker of the cluster may accept the client.
"""

from __future__ import annotations

import logging
import re
import time

from confluent_kafka import KafkaError

from traffic_platform.errors import RefusedError, TransientError

log = logging.getLogger(__name__)

_LASTING_SECONDS = 2.0
# Text around the reason: "sasl_ssl://host:9093/bootstrap: …(after 3ms in state AUTH_REQ, …)".
_AROUND = re.compile(r"^\S+: | \(after \d+ms in state .*\)$")
# A login that was cut short, for example by a broker that shuts down, is not a rejection.
_CUT_SHORT = re.compile(r"Local: |Disconnected|timed out")
# TLS alerts by which a broker rejects a certificate, or a client without one (RFC 8446, 6.2).
_ALERT = re.compile(r"SSL alert number (4[0-9]|116)\b")
_CONNECTING = frozenset({KafkaError._TRANSPORT, KafkaError._AUTHENTICATION, KafkaError._SSL})


class AuthErrors:
    """The reasons for which brokers reject a client, until one of them answers."""

    def __init__(self, kafka_config: dict[str, str]) -> None:
        self._servers = kafka_config["bootstrap.servers"]
        self._protocol = kafka_config["security.protocol"]
        self._since: float | None = None
        self._rejection = ""
        self._last_error = ""

    def note(self, error: KafkaError) -> None:
        """Record an error of the client. Pass this method as its `error_cb`."""
        log.debug("kafka: %s", error)
        text = _AROUND.sub("", error.str()).partition(", verify that")[0]
        advice = _advice(error.code(), text)
        if advice:
            self._since = self._since or time.monotonic()
            self._rejection = f"Kafka at {self._servers} rejects this client: {text}. {advice}"
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last_error = text
        else:
            # The only report about brokers that close connections without an error.
            self._last_error = self._last_error or (
                "it closes our connections: check that this port speaks"
                f" TRAFFIC_KAFKA_SECURITY_PROTOCOL={self._protocol}"
            )

    def answered(self) -> None:
        """Forget earlier errors: a broker has answered, so it accepts the client."""
        self._since = None
        self._last_error = ""

    def check(self) -> None:
        """Raise RefusedError when brokers have rejected the client for two seconds."""
        if self._since is not None and time.monotonic() - self._since >= _LASTING_SECONDS:
            raise RefusedError(self._rejection)

    def silence(self) -> RefusedError | TransientError:
        """Return the error for a request that no broker answered in time."""
        if self._since is not None:
            return RefusedError(self._rejection)
        reason = f" ({self._last_error})" if self._last_error else ""
        return TransientError(f"Kafka at {self._servers} does not answer{reason}")


def _advice(code: int, text: str) -> str | None:
    """Return the settings to check for a rejection, None for any other error."""
    if code == KafkaError._AUTHENTICATION and not _CUT_SHORT.search(text):
        if "Unsupported SASL mechanism" in text:
            return "Set TRAFFIC_KAFKA_SASL_MECHANISM to a mechanism that the broker supports."
        return (
            "Check TRAFFIC_KAFKA_SASL_USERNAME, TRAFFIC_KAFKA_SASL_PASSWORD and"
            " TRAFFIC_KAFKA_SASL_MECHANISM."
        )
    if "certificate verify failed" in text:
        return (
            "Check TRAFFIC_KAFKA_SSL_CA_LOCATION, and that the broker's certificate is for the"
            " name in TRAFFIC_KAFKA_BOOTSTRAP_SERVERS."
        )
    if _ALERT.search(text):
        return (
            "Check TRAFFIC_KAFKA_SSL_CERTIFICATE_LOCATION and TRAFFIC_KAFKA_SSL_KEY_LOCATION: the"
            " broker asks for a certificate that it trusts."
        )
    return None


def log_client_error(error: KafkaError) -> None:
    """Log an error of a client's connections. Pass this function as its `error_cb`."""
    # A broker that is down refuses dozens of connections a second, but librdkafka reports once that
    # all brokers are down. The session's own requests report a rejected login.
    connecting = error.code() in _CONNECTING
    log.log(logging.DEBUG if connecting else logging.INFO, "kafka: %s", error)
