"""One request against real servers that answer, fail, redirect, hang, and never stop."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tornado import simple_httpclient

from notifier.sending import Outcome, Sender
from tests.harness.receiver import Receiver, status
from wire.outgoing import Policy, parse_networks

LOOPBACK = Policy(parse_networks(["127.0.0.0/8"]))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def post(url: str, policy: Policy = LOOPBACK, time_limit_s: float = 5.0) -> Outcome:
    return asyncio.run(Sender(policy, time_limit_s).post(url, b'{"a":1}', {"x-test": "1"}))


def test_a_message_arrives_as_it_was_composed(receiver: Receiver) -> None:
    outcome = post(f"{receiver.url}/hook?x=1")
    assert outcome.is_delivered and (outcome.status, outcome.error) == (204, None)
    [received] = receiver.received
    assert (received.path, received.body, received.headers["x-test"]) == ("/hook?x=1", b'{"a":1}', "1")
    assert "cookie" not in received.headers and received.headers["user-agent"] == "AgentCom-Notifier"


@pytest.mark.parametrize("code", [400, 404, 410, 429, 500, 503])
def test_a_refusal_is_told_with_its_status(receiver: Receiver, code: int) -> None:
    receiver.answers = [status(code, b"no", Retry_After="30")]
    outcome = post(receiver.url)
    assert not outcome.is_delivered
    assert (outcome.status, outcome.error, outcome.retry_after) == (code, f"answered {code}", "30")


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """It could lead inside; whoever moved a webhook registers its new address."""
    receiver.answers = [status(302, Location=f"{receiver.url}/inside")]
    outcome = post(receiver.url)
    assert (outcome.status, outcome.is_delivered) == (302, False)
    assert [one.path for one in receiver.received] == ["/"]


def test_a_receiver_that_hangs_costs_the_time_limit_and_no_more(receiver: Receiver) -> None:
    receiver.answers = [receiver.hang]
    outcome = post(receiver.url, time_limit_s=0.3)
    assert outcome.status is None and outcome.error == "no complete answer within 0.3 s"


def test_an_endless_answer_is_not_read_and_its_status_counts(receiver: Receiver) -> None:
    receiver.answers = [receiver.dribble]
    assert post(receiver.url, time_limit_s=5.0).is_delivered


def test_a_huge_answer_is_not_read_and_its_status_counts(receiver: Receiver) -> None:
    receiver.answers = [status(500, b"x" * 1_000_000)]
    assert post(receiver.url).error == "answered 500"


def test_nobody_there_is_an_outcome_and_no_exception() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = post(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert outcome.status is None and outcome.error is not None and "refused" in outcome.error.lower()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "[::1]", "0"]
)
def test_no_spelling_of_an_inside_address_is_connected_to(receiver: Receiver, host: str) -> None:
    """What counts is what the name is resolved to, by whatever rules this machine's resolver has."""
    port = receiver.url.rsplit(":", 1)[1]
    for scheme in ("https", "http"):
        outcome = post(f"{scheme}://{host}:{port}/", Policy())
        assert outcome.status is None and outcome.error is not None
        assert outcome.error.startswith("not sent: ") or "gaierror" in outcome.error
    assert receiver.received == []


def test_a_name_that_leads_inside_and_outside_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(receiver.url.rsplit(":", 1)[1])

    async def resolve(*_: object, **__: object) -> list[object]:
        found = [("8.8.8.8", 443), ("127.0.0.1", port)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", where) for where in found]

    async def send() -> Outcome:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        return await Sender(Policy()).post("https://both.example/", b"", {})

    outcome = asyncio.run(send())
    assert outcome.error is not None and outcome.error.startswith("not sent: the name leads to an address")
    assert receiver.received == []


def test_a_server_without_tls_gets_nothing_of_a_message_over_https(receiver: Receiver) -> None:
    outcome = post(receiver.url.replace("http:", "https:"))
    assert outcome.status is None and outcome.error is not None
    assert receiver.received == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For ``localhost`` alone, signed by itself, with its key in the same file."""
    x509 = pytest.importorskip("cryptography.x509", reason="NOT TESTED: the extra 'push' is not installed")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "server.pem"
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + plain)
    return path


def test_a_certificate_must_be_trusted_and_be_for_the_name(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    with Receiver(tls=server) as receiver:
        by_name = receiver.url.replace("127.0.0.1", "localhost")
        unknown = post(by_name)
        assert unknown.status is None and "certificate" in str(unknown.error).lower(), "nobody vouches for it"
        trusting = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(simple_httpclient, "_client_ssl_defaults", lambda: trusting)
        other = post(receiver.url)
        assert other.status is None and "certificate" in str(other.error).lower(), "it is for another name"
        assert receiver.received == []
        assert post(by_name).is_delivered
