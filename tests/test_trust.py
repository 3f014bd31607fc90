"""The authority of an installation, and where it is put; with real OpenSSL, curl, keytool and certutil."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from addons.passthrough import NEVER
from analysis.cli import main
from analysis.proxy import Proxy
from captures import home, ledger
from captures.gateway import authority, trust
from captures.model import CaptureError, Contact, Exchange
from fake_cloud import Cloud, small
from test_guard import get, inside

PUBLIC = b"# authorities of the world\n-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "cacert.pem"
    path.write_bytes(PUBLIC)
    path.chmod(0o640)
    return path


def ran(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_authority_is_private_lasts_a_year_at_most_and_is_not_valid_for_the_names_of_the_list() -> None:
    made = authority.ensure(home.authority())
    assert made.private
    assert made.until < datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=365)
    assert made.constrained
    assert {"paypal.com", "doctolib.de", "bank"} <= set(made.never)
    for path in home.authority().iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert authority.ensure(home.authority()) == made


def test_the_users_own_list_counts_and_a_slip_in_it_is_named(tmp_path: Path) -> None:
    path = authority.never()
    path.write_text("# mine\n*.Bank.example  # my bank\nbücher.example\n\nbank.example\n", "utf-8")
    assert authority.ensure(home.authority()).never == ("bank.example", "xn--bcher-kva.example")
    path.write_text("fine.example\nhttps://bank.example/\n", "utf-8")
    with pytest.raises(CaptureError, match=r"never\.txt:2: is no name of a server; write one like bank\.example"):
        authority.ensure(tmp_path / "other")


HOSTS = ("localhost", "notbank.localhost", "bank.localhost", "www.bank.localhost")


@contextmanager
def proxied(tmp_path: Path, never: str) -> Iterator[Proxy]:
    authority.never().write_text("bank.localhost\n")
    made = authority.ensure(home.authority())
    # mitmproxy takes all names of a server's certificate over into its own.
    clouds = {host: Cloud(_folder(tmp_path / host), (host,), small) for host in HOSTS}
    (tmp_path / "servers.pem").write_bytes(b"".join(cloud.authority.read_bytes() for cloud in clouds.values()))
    settings = {
        "listen_host": "127.0.0.1", "listen_port": 0, "confdir": str(made.certificate.parent),
        "ssl_verify_upstream_trusted_ca": str(tmp_path / "servers.pem"),
        "phonehome_reroute": json.dumps({host: ["127.0.0.1", cloud.port] for host, cloud in clouds.items()}),
        "phonehome_never": never,
    }  # fmt: skip
    try:
        with Proxy(settings) as proxy:
            yield proxy
    finally:
        for cloud in clouds.values():
            cloud.close()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def curl(proxy: Proxy, name: str, trusted: Path) -> tuple[int, str]:
    host, listening = proxy.listening[0]
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "10", "--proxy", f"http://{host}:{listening}", "--noproxy", "", "--cacert",
         str(trusted), f"https://{name}/"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout or done.stderr


def test_mitmproxy_uses_it_and_curl_takes_it_for_other_names_alone(tmp_path: Path) -> None:
    with proxied(tmp_path, never="") as proxy:
        found = {name: curl(proxy, name, home.authority() / "mitmproxy-ca-cert.pem") for name in HOSTS}
    assert found["localhost"] == (0, '{"ok": true}')
    assert found["notbank.localhost"] == (0, '{"ok": true}')
    for name in ("bank.localhost", "www.bank.localhost"):
        assert found[name][0] == 60
        assert "excluded subtree" in found[name][1]


def test_programs_in_python_take_it_for_other_names_alone(tmp_path: Path) -> None:
    (certifi,) = trust.places(trust.stores()["python"], python=sys.executable)
    bundle = tmp_path / "certifi.pem"
    bundle.write_bytes(certifi.read_bytes())
    with proxied(tmp_path, never="") as proxy:
        ran("trust", "add", "python", "--path", str(bundle))
        assert by_requests(proxy, "localhost", bundle) == '{"ok": true}'
        assert "excluded subtree" in by_requests(proxy, "bank.localhost", bundle)
        ran("trust", "remove", "python")
        assert "CERTIFICATE_VERIFY_FAILED" in by_requests(proxy, "localhost", bundle)


@pytest.mark.skipif(not shutil.which("node"), reason="needs node: install nodejs")
def test_programs_in_node_take_it_for_other_names_alone(tmp_path: Path) -> None:
    with proxied(tmp_path, never="") as proxy:
        certificate = home.authority() / "mitmproxy-ca-cert.pem"
        assert by_node(proxy, "localhost", certificate) == "trusted"
        # Node has no name for this reason.
        assert by_node(proxy, "www.bank.localhost", certificate) == "UNSPECIFIED"


CACERTS = Path("/etc/ssl/certs/java/cacerts")


@pytest.mark.skipif(
    not (shutil.which("javac") and CACERTS.exists()), reason="needs javac: install default-jdk-headless"
)
def test_programs_in_java_take_it_for_every_name(tmp_path: Path) -> None:
    """Java heeds no limits of an authority that it was told to trust, which is said where it is added."""
    store = tmp_path / "cacerts"
    store.write_bytes(CACERTS.read_bytes())
    with proxied(tmp_path, never="") as proxy:
        ran("trust", "add", "java", "--path", str(store))
        taken = '{"ok": true}'
        assert by_java(proxy, store, "notbank.localhost", "bank.localhost") == [taken, taken]


def env(**named: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **named}


_NODE = """
const [host, port, name] = process.argv.slice(1);
const tls = require("tls");
require("http").request({host, port, method: "CONNECT", path: name + ":443"}).on("connect", (_, socket) => {
  const secure = tls.connect({socket, servername: name}, () => { console.log("trusted"); secure.destroy(); });
  secure.on("error", error => { console.log(error.code); socket.destroy(); });
}).end();
"""

_JAVA = """
import java.net.*;
public class Ask {
  public static void main(String[] given) throws Exception {
    Proxy proxy = new Proxy(Proxy.Type.HTTP, new InetSocketAddress(given[0], Integer.parseInt(given[1])));
    for (int place = 2; place < given.length; place++) {
      try {
        URLConnection asked = new URL("https://" + given[place] + "/").openConnection(proxy);
        System.out.println(new String(asked.getInputStream().readAllBytes()));
      } catch (java.io.IOException error) {
        System.out.println(error.getMessage());
      }
    }
  }
}
"""


def by_java(proxy: Proxy, store: Path, *names: str) -> list[str]:
    program, (host, port) = store.with_name("Ask.java"), proxy.listening[0]
    program.write_text(_JAVA)
    done = subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", f"-Djavax.net.ssl.trustStore={store}", str(program), host, str(port),
         *names],
        capture_output=True, text=True, check=False, timeout=120, env=env(),
    )  # fmt: skip
    return done.stdout.splitlines() or done.stderr.splitlines()


_REQUESTS = "import requests, sys; print(requests.get(f'https://{sys.argv[1]}/', timeout=20).text)"


def by_node(proxy: Proxy, name: str, trusted: Path) -> str:
    host, port = proxy.listening[0]
    done = subprocess.run(
        ["node", "-e", _NODE, host, str(port), name],
        capture_output=True, text=True, check=False, timeout=60, env=env(NODE_EXTRA_CA_CERTS=str(trusted)),
    )  # fmt: skip
    return (done.stdout or done.stderr).strip()


def by_requests(proxy: Proxy, name: str, trusted: Path) -> str:
    host, port = proxy.listening[0]
    named = env(REQUESTS_CA_BUNDLE=str(trusted), HTTPS_PROXY=f"http://{host}:{port}")
    done = subprocess.run(
        [sys.executable, "-c", _REQUESTS, name], capture_output=True, text=True, check=False, timeout=60, env=named
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_names_of_the_list_pass_untouched_from_the_first_connection(tmp_path: Path) -> None:
    with proxied(tmp_path, never=str(home.root() / "never.txt")) as proxy:
        for name in ("bank.localhost", "www.bank.localhost"):
            assert curl(proxy, name, tmp_path / "servers.pem") == (0, '{"ok": true}')
        assert curl(proxy, "notbank.localhost", home.authority() / "mitmproxy-ca-cert.pem") == (0, '{"ok": true}')


def test_a_name_of_the_list_is_not_inspected_either_when_only_the_proxy_is_told_it_or_in_clear_text(
    tmp_path: Path,
) -> None:
    authority.never().write_text("localhost\n")
    made = authority.ensure(home.authority())
    cloud = Cloud(_folder(tmp_path / "cloud"), ("localhost",), small)
    ledger.create(tmp_path / "a.ledger")
    settings = {
        "listen_host": "127.0.0.1", "listen_port": 0, "confdir": str(made.certificate.parent),
        "phonehome_never": str(home.root() / "never.txt"), "phonehome_ledger": str(tmp_path / "a.ledger"),
    }  # fmt: skip
    try:
        with (
            inside() as (plain, _), Proxy(settings) as proxy,
            socket.create_connection(proxy.listening[0], timeout=20) as connection,
        ):  # fmt: skip
            connection.sendall(b"CONNECT localhost:%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % cloud.port)
            assert b" 200 " in connection.recv(4096)
            context = ssl.create_default_context(cafile=str(cloud.authority))
            context.check_hostname = False
            # No name in the handshake; the certificate is the server's own.
            with context.wrap_socket(connection) as secure:
                secure.sendall(b"GET /account HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert b" 200 " in secure.recv(4096)
            urls = (f"http://localhost:{plain}/account?of=anna", f"http://127.0.0.1:{plain}/poster")
            assert get(proxy, *urls) == [(200, b"inside")] * 2
    finally:
        cloud.close()
    rows = [row for _, row in ledger.read(tmp_path / "a.ledger")]
    assert [row.path for row in rows if isinstance(row, Exchange)] == ["/poster"]
    assert [(row.host, row.reason) for row in rows if isinstance(row, Contact)] == [("localhost", NEVER)] * 2
    assert b"anna" not in (tmp_path / "a.ledger").read_bytes()


@pytest.mark.parametrize("product", ["plex", "kodi", "python"])
def test_a_file_of_certificates_holds_it_once_and_is_the_same_again_after(
    product: str, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("trust", "add", product, "--path", str(bundle)) == 0
    with_it = bundle.read_bytes()
    assert with_it.startswith(PUBLIC)
    assert (home.authority() / "mitmproxy-ca-cert.pem").read_bytes() in with_it
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o640
    assert ran("trust", "add", product, "--path", str(bundle)) == 0
    assert bundle.read_bytes() == with_it
    assert "trusts the proxy already" in capsys.readouterr().err
    assert ran("trust", "status") == 0
    assert f"{product}: {bundle}: trusts the proxy" in capsys.readouterr().out
    assert ran("trust", "remove", product) == 0
    assert bundle.read_bytes() == PUBLIC
    assert [path.name for path in home.journal().iterdir()] == ["trust.json"]


def test_owner_mode_attributes_and_times_come_back(bundle: Path) -> None:
    os.utime(bundle, ns=(10**18, 10**18 + 7))
    with contextlib.suppress(OSError):
        os.setxattr(bundle, "user.made-up", b"label")
    labels = {name: os.getxattr(bundle, name) for name in os.listxattr(bundle)}
    before = bundle.stat()
    ran("trust", "add", "plex", "--path", str(bundle))
    assert {name: os.getxattr(bundle, name) for name in os.listxattr(bundle)} == labels
    assert bundle.stat().st_mtime_ns > before.st_mtime_ns
    ran("trust", "remove", "plex")
    after = bundle.stat()
    assert {name: os.getxattr(bundle, name) for name in os.listxattr(bundle)} == labels
    for name in ("st_mode", "st_uid", "st_gid", "st_mtime_ns", "st_size"):
        assert getattr(after, name) == getattr(before, name), name


def test_a_link_stays_a_link_and_several_names_of_a_file_are_one(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "link.pem").symlink_to("cacert.pem")
    ran("trust", "add", "plex", "--path", str(tmp_path / "link.pem"), "--path", str(bundle))
    assert (tmp_path / "link.pem").readlink() == Path("cacert.pem")
    assert bundle.read_bytes().count(b"# phonehome") == 1
    ran("trust", "remove", "plex")
    assert (tmp_path / "link.pem").readlink() == Path("cacert.pem")
    assert bundle.read_bytes() == PUBLIC


@pytest.mark.parametrize("name", ["-rf x.pem", "a\nb.pem", "$(touch x).pem", "ünïcode.pem", "*.pem"])
def test_a_file_of_any_name_is_changed_and_put_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PUBLIC)
    made = authority.ensure(home.authority())
    assert trust.add(trust.stores()["plex"], path, made, home.journal())
    (entry,) = trust.listed(home.journal())
    assert trust.state(entry, made) == "trusts the proxy"
    assert trust.remove(entry, home.journal()) == "as it was before"
    assert path.read_bytes() == PUBLIC
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == [name]


def test_a_name_that_is_no_text_is_said_and_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "b\udcff.pem"
    path.write_bytes(PUBLIC)
    with pytest.raises(CaptureError, match=r"b\\udcff.pem': has a name that is no text"):
        trust.add(trust.stores()["plex"], path, authority.ensure(home.authority()), home.journal())
    assert path.read_bytes() == PUBLIC


def test_a_copy_that_is_gone_is_done_without(bundle: Path) -> None:
    ran("trust", "add", "plex", "--path", str(bundle))
    for copy in home.journal().glob("*.backup"):
        copy.unlink()
    assert ran("trust", "remove", "plex") == 0
    assert bundle.read_bytes() == PUBLIC


def test_an_authority_that_has_ended_is_said_and_not_used(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(authority, "VALID", datetime.timedelta(days=1))
        with pytest.raises(CaptureError, match="has ended"):
            authority.ensure(home.authority())
    assert ran("trust", "add", "plex", "--path", str(bundle)) == 3
    assert "has ended on" in capsys.readouterr().err
    assert bundle.read_bytes() == PUBLIC
    assert ran("trust", "remove", "--all") == 0
    assert ran("trust", "add", "plex", "--path", str(bundle)) == 0


def test_a_file_of_somebody_else_in_the_systems_folder_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "phonehome.crt"
    for lay in (lambda: other.write_text("mine"), lambda: other.symlink_to(tmp_path / "nowhere")):
        lay()
        assert ran("trust", "add", "system", "--path", str(tmp_path)) == 3
        assert "was not put there by this installation" in capsys.readouterr().err
        assert trust.listed(home.journal()) == ()
        other.unlink()


def test_two_products_share_a_folder_of_the_system_until_both_are_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(trust._REFRESH, str(tmp_path), ("true",))
    for product in ("system", "jellyfin"):
        assert ran("trust", "add", product, "--path", str(tmp_path)) == 0
    assert {entry.product for entry in trust.listed(home.journal())} == {"system", "jellyfin"}
    for product, there in (("system", True), ("jellyfin", False)):
        assert ran("trust", "remove", product) == 0
        assert (tmp_path / "phonehome.crt").exists() is there


def test_an_update_that_overwrote_it_is_noticed_and_it_can_be_added_again(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran("trust", "add", "plex", "--path", str(bundle))
    bundle.write_bytes(PUBLIC + b"# newer\n")
    ran("trust", "status")
    assert "an update has overwritten it; run: phonehome trust add plex" in capsys.readouterr().out
    ran("trust", "add", "plex", "--path", str(bundle))
    assert len(trust.listed(home.journal())) == 1
    ran("trust", "remove", "plex")
    assert bundle.read_bytes() == PUBLIC + b"# newer\n"


def test_what_others_have_changed_since_stays(bundle: Path) -> None:
    ran("trust", "add", "plex", "--path", str(bundle))
    with bundle.open("ab") as file:
        file.write(b"# by somebody else\n")
    ran("trust", "remove", "plex")
    assert bundle.read_bytes() == PUBLIC + b"# by somebody else\n"


def test_a_product_that_is_gone_is_said_and_forgotten(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran("trust", "add", "plex", "--path", str(bundle))
    bundle.unlink()
    assert ran("trust", "remove", "plex") == 0
    assert "is gone, and the authority with it" in capsys.readouterr().err
    assert trust.listed(home.journal()) == ()


def test_all_is_taken_out_and_the_authority_ends(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(PUBLIC)
    ran("trust", "add", "plex", "--path", str(bundle))
    ran("trust", "add", "kodi", "--path", str(other))
    former = authority.read(home.authority())
    assert ran("trust", "remove", "--all") == 0
    assert bundle.read_bytes() == other.read_bytes() == PUBLIC
    assert authority.read(home.authority()) is None
    assert authority.ensure(home.authority()) != former


def test_a_new_authority_replaces_the_former_one(bundle: Path) -> None:
    ran("trust", "add", "plex", "--path", str(bundle))
    former = (home.authority() / "mitmproxy-ca-cert.pem").read_bytes()
    (home.authority() / "mitmproxy-ca.pem").unlink()
    ran("trust", "add", "plex", "--path", str(bundle))
    assert former not in bundle.read_bytes()
    ran("trust", "remove", "plex")
    assert bundle.read_bytes() == PUBLIC


def test_what_is_missing_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("trust", "add", "plex", "--path", str(tmp_path / "no.pem")) == 3
    assert ran("trust", "add", "toaster") == 2
    assert ran("trust", "remove") == 2
    assert ran("trust", "add", "python", "--python", "no-such-python") == 3
    said = capsys.readouterr().err
    assert "no.pem: does not exist" in said
    assert "toaster: is not known; known are plex, kodi" in said
    assert "name one product, or --all" in said
    assert "no-such-python: has no certifi" in said
    assert trust.listed(home.journal()) == ()


@pytest.mark.parametrize("product", ["android", "ios", "tvos", "roku", "node"])
def test_what_only_a_person_can_do_is_printed(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("trust", "add", product) == 0
    said = capsys.readouterr().out
    assert "{" not in said
    assert product == "roku" or "mitmproxy-ca-cert.pem" in said


def test_certifi_of_an_interpreter_is_found_and_works_with_requests(tmp_path: Path) -> None:
    (found,) = trust.places(trust.stores()["python"], python=sys.executable)
    copy = tmp_path / "copy.pem"
    copy.write_bytes(found.read_bytes())
    ran("trust", "add", "python", "--path", str(copy))
    done = subprocess.run(
        ["openssl", "verify", "-CAfile", str(copy), str(home.authority() / "mitmproxy-ca-cert.pem")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.endswith(": OK\n"), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("keytool"), reason="needs keytool: install a Java runtime")
def test_a_keystore_of_java_holds_it_and_is_the_same_again_after(tmp_path: Path) -> None:
    store = tmp_path / "cacerts"
    subprocess.run(
        ["keytool", "-genkeypair", "-alias", "other", "-keyalg", "EC", "-dname", "CN=made up", "-keystore", str(store),
         "-storepass", "changeit"], check=True, capture_output=True,
    )  # fmt: skip
    before = store.read_bytes()
    assert ran("trust", "add", "java", "--path", str(store)) == 0
    (entry,) = trust.listed(home.journal())
    ours = authority.read(home.authority())
    assert trust.state(entry, ours) == "trusts the proxy"
    ran("trust", "remove", "java")
    assert store.read_bytes() == before
    ran("trust", "add", "java", "--path", str(store))
    store.write_bytes(before)
    (entry,) = trust.listed(home.journal())
    assert "an update has overwritten it" in trust.state(entry, ours)


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    folder = tmp_path / "nssdb"
    folder.mkdir()
    subprocess.run(["certutil", "-N", "-d", f"sql:{folder}", "--empty-password"], check=True)
    return folder


needs_certutil = pytest.mark.skipif(not shutil.which("certutil"), reason="needs certutil: install libnss3-tools")


@needs_certutil
def test_a_database_of_a_browser_holds_it_and_is_the_same_again_after(browser: Path) -> None:
    def state() -> tuple[object, ...]:
        files = [browser / name for name in ("cert9.db", "pkcs11.txt")]
        with contextlib.closing(sqlite3.connect(browser / "key4.db")) as keys:
            rows = (
                keys.execute("SELECT * FROM metaData").fetchall(),
                keys.execute("SELECT * FROM nssPrivate").fetchall(),
            )
        return [(path.read_bytes(), path.stat().st_mtime_ns) for path in files], rows, sorted(browser.iterdir())

    before = state()
    for _ in range(2):
        assert ran("trust", "add", "chromium", "--path", str(browser)) == 0
    (entry,) = trust.listed(home.journal())
    assert trust.state(entry, authority.read(home.authority())) == "trusts the proxy"
    assert state() != before
    assert ran("trust", "remove", "chromium") == 0
    assert state() == before


@needs_certutil
def test_of_a_database_that_a_browser_uses_or_has_changed_only_our_part_goes(browser: Path) -> None:
    ran("trust", "add", "chromium", "--path", str(browser))
    with (browser / "cert9.db").open("rb") as used:
        number = os.fstat(used.fileno()).st_ino
        assert ran("trust", "remove", "chromium") == 0
        assert (browser / "cert9.db").stat().st_ino == number
    listed = subprocess.run(["certutil", "-L", "-d", f"sql:{browser}"], capture_output=True, text=True, check=True)
    assert "phonehome" not in listed.stdout


@needs_certutil
@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_a_browsers_library_takes_it_for_no_name_of_the_list(browser: Path, tmp_path: Path) -> None:
    """NSS, as in Firefox, by its own program for servers' certificates."""
    from cryptography.x509 import DNSName
    from mitmproxy.certs import CertStore

    authority.never().write_text("bank.example\n")
    made = authority.ensure(home.authority())
    ran("trust", "add", "firefox", "--path", str(browser))
    store = CertStore.from_store(made.certificate.parent, "mitmproxy", 2048)
    verdicts = {}
    for name in ("film.example", "notbank.example", "bank.example", "www.bank.example"):
        leaf = tmp_path / f"{name}.pem"
        leaf.write_bytes(store.get_cert(name, [DNSName(name)]).cert.to_pem())
        done = subprocess.run(
            ["vfychain", "-d", f"sql:{browser}", "-pp", "-u", "1", "-a", str(leaf)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        verdicts[name] = "Chain is good" in done.stdout + done.stderr
    assert verdicts == {"film.example": True, "notbank.example": True, "bank.example": False, "www.bank.example": False}
