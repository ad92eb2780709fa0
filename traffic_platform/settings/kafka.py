"""Settings of the connection to Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, SecretStr, model_validator

from traffic_platform.settings.subject import SubjectSettings, reveal

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


def _require_readable(file: Path) -> Path:
    try:
        file.open("rb").close()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from error
    return file


PemFile = Annotated[Path, AfterValidator(_require_readable)]


class KafkaSettings(SubjectSettings):
    """Kafka connection

    [Connect to your own Kafka cluster](kafka.md) has examples and the permissions to grant. A
    setting that the protocol needs but lacks, or does not use, is refused by name.
    """

    kafka_bootstrap_servers: str | None = None
    """`host:port` of the brokers; separate several with commas. If it is set, the stack starts no
    Kafka of its own."""
    kafka_security_protocol: SecurityProtocol = "PLAINTEXT"
    """Protocol of that port. The embedded Kafka only speaks `PLAINTEXT`."""
    kafka_sasl_mechanism: SaslMechanism | None = None
    """Login mechanism. Required with both `SASL_…` protocols."""
    kafka_sasl_username: str | None = None
    """User name. Required with both `SASL_…` protocols."""
    kafka_sasl_password: SecretStr | None = None
    """Password. Required with both `SASL_…` protocols."""
    kafka_ssl_ca_location: PemFile | None = None
    """PEM file of the authority that signed the brokers' certificates. Not set: the authorities of
    the system."""
    kafka_ssl_certificate_location: PemFile | None = None
    """PEM file of the platform's own certificate, for brokers that ask for one. It needs a key."""
    kafka_ssl_key_location: PemFile | None = None
    """PEM file of that certificate's private key."""
    kafka_ssl_key_password: SecretStr | None = None
    """Password of the key file. Not set: the file is not encrypted."""

    @model_validator(mode="after")
    def _settings_fit_the_protocol(self) -> Self:
        if mistake := self._mistake():
            raise ValueError(mistake)
        return self

    def client_config(self, bootstrap_servers: str) -> dict[str, str]:
        """Return the configuration that every Kafka client needs, in librdkafka's names."""
        config = {
            "bootstrap.servers": bootstrap_servers,
            "security.protocol": self.kafka_security_protocol,
        }
        optional = {
            "sasl.mechanism": self.kafka_sasl_mechanism,
            "sasl.username": self.kafka_sasl_username,
            "sasl.password": reveal(self.kafka_sasl_password),
            "ssl.ca.location": self.kafka_ssl_ca_location,
            "ssl.certificate.location": self.kafka_ssl_certificate_location,
            "ssl.key.location": self.kafka_ssl_key_location,
            "ssl.key.password": reveal(self.kafka_ssl_key_password),
        }
        return config | {key: str(value) for key, value in optional.items() if value}

    def _mistake(self) -> str | None:
        """Return the settings that the protocol lacks or does not use, as one sentence."""
        protocol = self.kafka_security_protocol
        sasl = self._variables("sasl_mechanism", "sasl_username", "sasl_password")
        identity = self._variables("ssl_certificate_location", "ssl_key_location")
        tls = self._variables("ssl_ca_location") | identity | self._variables("ssl_key_password")
        chosen = f"TRAFFIC_KAFKA_SECURITY_PROTOCOL is {protocol}"
        needed = sasl if protocol.startswith("SASL_") else {}
        unused = {**({} if needed else sasl), **({} if protocol.endswith("SSL") else tls)}
        if missing := _names(needed, is_set=False):
            return f"{chosen}: set {missing} too."
        if useless := _names(unused, is_set=True):
            return f"{chosen}, which does not use {useless}: choose another protocol, or unset it."
        if _names(identity, is_set=True) and (missing := _names(identity, is_set=False)):
            return f"A certificate and its key belong together: set {missing} too."
        if self.kafka_ssl_key_password and not self.kafka_ssl_key_location:
            return "TRAFFIC_KAFKA_SSL_KEY_PASSWORD is set without TRAFFIC_KAFKA_SSL_KEY_LOCATION."
        if protocol != "PLAINTEXT" and not self.kafka_bootstrap_servers:
            return (
                f"{chosen}: set TRAFFIC_KAFKA_BOOTSTRAP_SERVERS too;"
                " the embedded Kafka is PLAINTEXT."
            )
        return None

    def _variables(self, *names: str) -> dict[str, object]:
        return {f"TRAFFIC_KAFKA_{name.upper()}": getattr(self, f"kafka_{name}") for name in names}


def _names(values: dict[str, object], *, is_set: bool) -> str:
    return ", ".join(name for name, value in values.items() if bool(value) == is_set)
