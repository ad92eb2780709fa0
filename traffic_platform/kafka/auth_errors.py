"""Whether Kafka lets a client in: librdkafka tells only a callback, and goes on trying for ever.

A request of a client with a wrong password ends as one to a broker that is away: it times out. So
each client that asks questions keeps here what its brokers say meanwhile. A refusal counts when it
has lasted a moment and nobody has answered: another broker of the cluster may.
"""

from __future__ import annotations

import logging
import re
import time

from confluent_kafka import KafkaError

from traffic_platform.errors import RefusedError, TransientError

log = logging.getLogger(__name__)

_LASTING_SECONDS = 2.0
# Around what matters: "sasl_ssl://host:9093/bootstrap: …(after 3ms in state AUTH_REQ, …)".
_AROUND = re.compile(r"^\S+: | \(after \d+ms in state .*\)$")
# Said of a login that was cut short, by a broker that is going away for example.
_CUT_SHORT = re.compile(r"Local: |Disconnected|timed out")
# TLS alerts by which a broker refuses a certificate, or a client without one (RFC 8446, 6.2).
_ALERT = re.compile(r"SSL alert number (4[0-9]|116)\b")
_CONNECTING = frozenset({KafkaError._TRANSPORT, KafkaError._AUTHENTICATION, KafkaError._SSL})


class AuthErrors:
    """What a client's brokers say against letting it in, until one answers."""

    def __init__(self, kafka_config: dict[str, str]) -> None:
        self._servers = kafka_config["bootstrap.servers"]
        self._protocol = kafka_config["security.protocol"]
        self._since: float | None = None
        self._refusal = ""
        self._trouble = ""

    def note(self, error: KafkaError) -> None:
        """Hear what the client reports: its `error_cb`."""
        log.debug("kafka: %s", error)
        text = _AROUND.sub("", error.str()).partition(", verify that")[0]
        advice = _advice(error.code(), text)
        if advice:
            self._since = self._since or time.monotonic()
            self._refusal = f"Kafka at {self._servers} does not let us in: {text}. {advice}"
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._trouble = text
        else:
            # Said of brokers that end connections without a word.
            self._trouble = self._trouble or (
                f"it ends our connections; is {self._protocol}, of TRAFFIC_KAFKA_SECURITY_PROTOCOL,"
                " what this port speaks?"
            )

    def answered(self) -> None:
        """A broker has answered: it has let us in."""
        self._since = None
        self._trouble = ""

    def check(self) -> None:
        """Raises RefusedError when we are refused for a moment already."""
        if self._since is not None and time.monotonic() - self._since >= _LASTING_SECONDS:
            raise RefusedError(self._refusal)

    def silence(self) -> RefusedError | TransientError:
        """Why nobody has answered a request in its time."""
        if self._since is not None:
            return RefusedError(self._refusal)
        because = f" ({self._trouble})" if self._trouble else ""
        return TransientError(f"Kafka at {self._servers} does not answer{because}")


def _advice(code: int, text: str) -> str | None:
    """What to change; None when this is no refusal."""
    if code == KafkaError._AUTHENTICATION and not _CUT_SHORT.search(text):
        if "Unsupported SASL mechanism" in text:
            return "Set TRAFFIC_KAFKA_SASL_MECHANISM to one that it supports."
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
    """Note what a client reports of its connections: its `error_cb`."""
    # A broker that is away refuses dozens of connections a second; that all are down is said once.
    # Why one does not let us in is said by the session's questions to it.
    refused = error.code() in _CONNECTING
    log.log(logging.DEBUG if refused else logging.INFO, "kafka: %s", error)
