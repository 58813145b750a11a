"""Encrypted connections with certificates of an own authority, and nobody else let in."""

import subprocess
from pathlib import Path

import pytest
from machines import Machines
from stand_in import settings_in

from costmodels.errors import InputError
from dse.cluster.connect import trainers
from dse.study.search import run_search


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key with a certificate that signs itself, in one file."""
    path = tmp_path / "cluster.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=dse"]
    subprocess.run([*command, "-keyout", path, "-out", tmp_path / "only.crt"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (tmp_path / "only.crt").read_bytes())
    return path


def configuration(certificate: Path) -> dict[str, str]:
    """Dask's settings for it, as environment variables."""
    roles = {
        f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT": str(certificate) for role in ("SCHEDULER", "WORKER", "CLIENT")
    }
    return {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(certificate), **roles}


def test_a_search_over_tls_and_nobody_without_the_certificate(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask

    settings = configuration(certificate)
    with Machines(tmp_path, **settings, DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION="true") as machines:
        machines.start_scheduler("--tls")
        assert machines.address.startswith("tls://127.0.0.1:")
        machines.start_worker()
        certificates = {"ca-file": str(certificate), "client.cert": str(certificate)}
        with dask.config.set({f"distributed.comm.tls.{name}": value for name, value in certificates.items()}):
            result = run_search(settings_in(tmp_path, trials=3), make_trainers=trainers(machines.address))
        assert result.trained == 3
        for stranger in (machines.address, machines.address.replace("tls://", "tcp://")):
            monkeypatch.setattr("dse.cluster.connect.CONNECT_S", 1.0)
            with pytest.raises(InputError, match="must be the address of a running scheduler"):
                run_search(settings_in(tmp_path, trials=3, name="other"), make_trainers=trainers(stranger))


def test_the_scheduler_listens_on_the_loopback_alone(machines: Machines) -> None:
    import psutil

    machines.start_worker()
    here = psutil.Process().children(recursive=True)
    listening = [c for process in here for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert len(listening) >= 2
    assert {c.laddr.ip for c in listening} <= {"127.0.0.1", "::1"}
