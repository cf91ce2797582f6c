"""A certificate authority of the emulator's own, and the server's certificate from it, for localhost and 127.0.0.1."""
import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = datetime.timedelta(days=30)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject, issuer, key):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer)).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - VALID).not_valid_after(now + VALID))


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def ensure(folder):
    """ca.pem for the client; (certificate, key) of the server. What is there from an earlier start stays valid."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    if not key_file.exists():
        authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        ca = (_builder("Emulator CA", "Emulator CA", authority)
              .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
              .sign(authority, hashes.SHA256()))
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        server = (_builder("localhost", "Emulator CA", key)
                  .add_extension(x509.SubjectAlternativeName(names), critical=False)
                  .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                  .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
                  .sign(authority, hashes.SHA256()))
        (folder / "ca.pem").write_bytes(_pem(ca))
        certificate_file.write_bytes(_pem(server))
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificate_file, key_file
