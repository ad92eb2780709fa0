"""A secured Kafka as in production: TLS, passwords and ACLs.

It has three listeners. SASL_SSL accepts every mechanism, SSL requires a client certificate, and
SASL_PLAINTEXT accepts only PLAIN. A client that logs in as `traffic`, by password or certificate,
is `User:traffic`, which starts without rights. `admin` may do everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import trustme
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from traffic_platform.stack.kafka import Kafka
from traffic_platform.stack.ports import Ports

USER, PASSWORD = "traffic", "a secret: of Traffic's=own"
ADMIN, ADMIN_PASSWORD = "admin", "admin-secret"
KEY_PASSWORD = "secret of the key"
PRINCIPAL = f"User:{USER}"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

Acl = tuple[ResourceType, str, AclOperation]  # the pattern is literal, or a prefix ending in "*"
_LOGIN = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Certificates:
    """PEM files of the test's own authority, in one folder."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The authority that signed the certificates of the broker and the client."""
        return self.folder / "authority.pem"

    @property
    def stranger(self) -> Path:
        """Another authority, which signed no certificate here."""
        return self.folder / "stranger.pem"

    @property
    def broker(self) -> Path:
        """The broker's key and certificate in one file, as Kafka requires."""
        return self.folder / "broker.pem"

    @property
    def client(self) -> Path:
        """The certificate of `traffic`."""
        return self.folder / "client.pem"

    @property
    def client_key(self) -> Path:
        """The key of `traffic`, under KEY_PASSWORD."""
        return self.folder / "client.key"

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        """Create all files in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        files = cls(folder)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(files.authority)
        trustme.CA().cert_pem.write_to_path(files.stranger)
        broker = authority.issue_cert("127.0.0.1", "localhost")
        files.broker.write_bytes(_pkcs8(broker) + _chain(broker))
        client = authority.issue_cert("localhost", common_name=USER)  # Java requires a host name
        files.client.write_bytes(_chain(client))
        files.client_key.write_bytes(_pkcs8(client, KEY_PASSWORD))
        return files


@dataclass(frozen=True)
class SecuredKafka:
    """The broker's service, its certificates and its ports."""

    service: Kafka
    certificates: Certificates
    ssl_port: int
    plaintext_port: int

    @classmethod
    def make(cls, folder: Path, ports: Ports) -> SecuredKafka:
        """Return a broker on free ports with its data in `folder`, not started yet."""
        certificates = Certificates.make(folder / "certificates")
        port, controller, ssl, plaintext = (
            ports.reserve(f"secured-{name}", 27092)
            for name in ("kafka", "controller", "ssl", "plaintext")
        )
        service = Kafka(
            folder / "kafka",
            port,
            controller,
            properties=_properties(certificates, port, controller, ssl, plaintext),
            client=_sasl_ssl(certificates),
            format_arguments=_scram_users(),
        )
        return cls(service, certificates, ssl, plaintext)

    def admin(self) -> AdminClient:
        """Return a client with all rights."""
        config = {"bootstrap.servers": self.service.bootstrap_servers}
        return AdminClient({**config, **self.service.client})

    def environment(self, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """Return the platform's settings for SASL_SSL as the user `traffic`."""
        return {
            "TRAFFIC_KAFKA_BOOTSTRAP_SERVERS": self.service.bootstrap_servers,
            "TRAFFIC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "TRAFFIC_KAFKA_SASL_MECHANISM": mechanism,
            "TRAFFIC_KAFKA_SASL_USERNAME": USER,
            "TRAFFIC_KAFKA_SASL_PASSWORD": PASSWORD,
            "TRAFFIC_KAFKA_SSL_CA_LOCATION": str(self.certificates.authority),
        }

    def plaintext_environment(self, mechanism: str = "PLAIN") -> dict[str, str]:
        """Return the platform's settings for SASL_PLAINTEXT."""
        return {
            "TRAFFIC_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.plaintext_port}",
            "TRAFFIC_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "TRAFFIC_KAFKA_SASL_MECHANISM": mechanism,
            "TRAFFIC_KAFKA_SASL_USERNAME": USER,
            "TRAFFIC_KAFKA_SASL_PASSWORD": PASSWORD,
        }

    def certificate_environment(self) -> dict[str, str]:
        """Return the platform's settings for SSL with the client certificate."""
        return {
            "TRAFFIC_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.ssl_port}",
            "TRAFFIC_KAFKA_SECURITY_PROTOCOL": "SSL",
            "TRAFFIC_KAFKA_SSL_CA_LOCATION": str(self.certificates.authority),
            "TRAFFIC_KAFKA_SSL_CERTIFICATE_LOCATION": str(self.certificates.client),
            "TRAFFIC_KAFKA_SSL_KEY_LOCATION": str(self.certificates.client_key),
            "TRAFFIC_KAFKA_SSL_KEY_PASSWORD": KEY_PASSWORD,
        }

    def given(self) -> set[str]:
        """Return the current ACLs of `traffic`."""
        admin = self.admin()
        return {repr(right) for right in admin.describe_acls(_EVERYTHING).result(timeout=30)}

    @staticmethod
    def rights(wanted: Iterable[Acl]) -> set[str]:
        """Return ACLs in the form of `given`."""
        return {repr(_binding(right)) for right in wanted}

    def allow(self, rights: Iterable[Acl]) -> None:
        """Add ACLs of `traffic`; return when the broker applies them."""
        admin, wanted = self.admin(), [_binding(right) for right in rights]
        for future in admin.create_acls(wanted).values():
            future.result(timeout=30)
        while not {repr(right) for right in wanted} <= self.given():
            pass

    def forbid(self, rights: Iterable[Acl] | None = None) -> None:
        """Remove ACLs of `traffic`, all of them by default; return when they are gone."""
        admin = self.admin()
        wanted = [_EVERYTHING] if rights is None else [_filter(right) for right in rights]
        gone: set[str] = set()
        for future in admin.delete_acls(wanted).values():
            gone |= {repr(right) for right in future.result(timeout=30)}
        while gone & self.given():
            pass


def _pkcs8(certificate: trustme.LeafCert, password: str | None = None) -> bytes:
    """Return the private key in PKCS 8, the only format that Kafka reads."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _chain(certificate: trustme.LeafCert) -> bytes:
    return b"".join(part.bytes() for part in certificate.cert_chain_pems)


def _sasl_ssl(certificates: Certificates) -> dict[str, str]:
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": ADMIN,
        "sasl.password": ADMIN_PASSWORD,
        "ssl.ca.location": str(certificates.authority),
    }


def _scram_users() -> list[str]:
    users = ((USER, PASSWORD), (ADMIN, ADMIN_PASSWORD))
    return [
        word
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        for user, password in users
        for word in ("--add-scram", f'{mechanism}=[name="{user}",password="{password}"]')
    ]


def _properties(
    certificates: Certificates, port: int, controller: int, ssl: int, plaintext: int
) -> dict[str, str]:
    listeners = (
        f"SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{ssl},SASL_PLAINTEXT://127.0.0.1:{plaintext}"
    )
    plain = (
        f'{_LOGIN}.plain.PlainLoginModule required username="{ADMIN}" password="{ADMIN_PASSWORD}"'
        f' user_{ADMIN}="{ADMIN_PASSWORD}" user_{USER}="{PASSWORD}";'
    )
    scram = f"{_LOGIN}.scram.ScramLoginModule required;"
    return {
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": (
            "CONTROLLER:SASL_PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL"
        ),
        "inter.broker.listener.name": "SASL_PLAINTEXT",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": plain,
        "listener.name.sasl_plaintext.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": plain,
        "listener.name.sasl_ssl.sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "listener.name.sasl_ssl.plain.sasl.jaas.config": plain,
        "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": scram,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": scram,
        "listener.name.ssl.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.broker),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.authority),
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN}",
    }


def _pattern(name: str) -> tuple[str, ResourcePatternType]:
    if name.endswith("*"):
        return name.removesuffix("*"), ResourcePatternType.PREFIXED
    return name, ResourcePatternType.LITERAL


def _binding(right: Acl) -> AclBinding:
    kind, name, operation = right
    return AclBinding(kind, *_pattern(name), PRINCIPAL, "*", operation, AclPermissionType.ALLOW)


_EVERYTHING = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, PRINCIPAL, None,
    AclOperation.ANY, AclPermissionType.ANY,
)  # fmt: skip


def _filter(right: Acl) -> AclBindingFilter:
    kind, name, operation = right
    return AclBindingFilter(
        kind, *_pattern(name), PRINCIPAL, "*", operation, AclPermissionType.ALLOW
    )
