"""Fetching, against a server on loopback that behaves, drops the line, ignores ranges, lies, redirects or refuses."""

import fcntl
import shutil
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import FileIO
from types import MappingProxyType

import pytest
from published_data import _archive, publish, record

from dse.data import check_dataset, load
from dse.data.fetching import fetch
from dse.data.registry import Container, DataFile
from dse.data.transfer import Patience, append
from dse.errors import DataError

IMAGES = "mnist/train-images-idx3-ubyte.gz"


@dataclass
class Server:
    """What the server serves, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    length: bool = True
    drop_after: int | list[int] | None = None  # bytes of a body after which the line goes dead; a list is used up
    drops: int = 10**6  # how often a single number counts
    answers: list[int] = field(default_factory=list)  # statuses given before anything else, one a request
    redirect: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    """Serves `Server.files` under their path, below any prefix that ends in ``/moved``."""

    protocol_version = "HTTP/1.0"

    def log_message(self, *_arguments):
        """Tests print nothing."""

    def do_GET(self):
        server = self.server.behaviour
        asked = self.headers.get("Range")
        name = self.path.lstrip("/")
        server.asked.append((name, asked))
        if server.answers:
            return self.send_error(server.answers.pop(0))
        if server.redirect and not name.startswith("moved/"):
            return self.move(server, name)
        body = server.files.get(name.removeprefix("moved/"))
        return self.send_error(404) if body is None else self.serve(server, body, asked)

    def move(self, server, name):
        self.send_response(302)
        self.send_header("Location", f"{server.address}/moved/{name}")
        self.end_headers()

    def serve(self, server, body, asked):
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges else 0
        if begin >= len(body) and begin:
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        if server.length:
            self.send_header("Content-Length", str(len(body) - begin))
        self.end_headers()
        end = len(body)
        if isinstance(server.drop_after, list):
            end = begin + server.drop_after.pop(0) if server.drop_after else end
        elif server.drop_after is not None and server.drops > 0:
            server.drops -= 1
            end = begin + server.drop_after
        self.wfile.write(body[begin:end])
        return None


class Web(ThreadingHTTPServer):
    """A server that says nothing when a client hangs up."""

    def handle_error(self, request, client_address):
        """Some tests hang up on purpose."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    web = Web(("127.0.0.1", 0), Handler)
    web.behaviour = Server(address=f"http://127.0.0.1:{web.server_address[1]}")
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield web.behaviour
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.fixture
def shop(server):
    """Published data sets whose downloads are on the server."""
    published = publish(server.address)
    server.files.update(published.files)
    return published


@pytest.fixture
def waits():
    """Seconds that were asked to be waited."""
    return []


@pytest.fixture
def get(shop, tmp_path, waits):
    """Fetch into a data folder, never really waiting."""

    def call(name, progress=lambda *_: None, published=shop, **options):
        patience = Patience(attempts=3, timeout_s=5, sleep=waits.append)
        return fetch(name, tmp_path / "data", progress, sources=published.sources, patience=patience, **options)

    return call


def intact(name, published, root):
    return {check.state for check in check_dataset(name, root, sources=published.sources)} == {"intact"}


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "cifar100"])
def test_a_data_set_is_fetched_and_loads(name, shop, get, tmp_path):
    paths = get(name)
    root = tmp_path / "data"
    container = shop.sources[name].containers[0]
    assert [path.parent for path in paths] == [root / container.folders[0]] * len(container.roles)
    assert {path.name for path in paths[0].parent.iterdir()} == {path.name for path in paths}  # nothing else is left
    assert intact(name, shop, root)
    assert load(name, root, sources=shop.sources).title == container.title


def test_a_second_fetch_asks_for_nothing_and_a_spoilt_file_for_itself(shop, get, server, tmp_path):
    first = get("mnist")
    server.asked.clear()
    assert get("mnist") == first
    assert server.asked == []
    (tmp_path / "data" / IMAGES).write_bytes(b"spoilt")
    get("mnist")
    assert server.asked == [(IMAGES, None)]
    assert intact("mnist", shop, tmp_path / "data")


def test_one_spoilt_batch_is_taken_from_the_archive_again(shop, get, tmp_path):
    get("cifar10")
    batch = tmp_path / "data" / "cifar-10-batches-py" / "data_batch_2"
    others = {path: path.stat().st_mtime_ns for path in batch.parent.iterdir() if path != batch}
    batch.write_bytes(batch.read_bytes()[:-1])
    get("cifar10")
    assert intact("cifar10", shop, tmp_path / "data")
    assert {path: path.stat().st_mtime_ns for path in others} == others


def test_jpegs_do_not_stand_for_the_official_files(shop, get, tmp_path):
    shop.store(tmp_path / "data", "cifar-10-jpeg")
    get("cifar10")
    assert load("cifar10", tmp_path / "data", sources=shop.sources).title == "CIFAR-10"


def test_progress_tells_bytes_of_the_whole(shop, get, server):
    told = []
    get("mnist", lambda *step: told.append(step))
    sizes = {name.split("/")[1]: len(data) for name, data in shop.files.items() if name.startswith("mnist/")}
    assert {name: max(have for file, have, _ in told if file == name) for name, _, _ in told} == sizes
    assert all(size == sizes[name] for name, _, size in told)


def test_a_dropped_line_is_continued_where_it_broke(shop, get, server, waits, tmp_path):
    server.drop_after = 400
    get("mnist")
    size = len(shop.files[IMAGES])
    ranges = [asked for name, asked in server.asked if name == IMAGES]
    assert ranges == [None, *(f"bytes={have}-" for have in range(400, size, 400))]
    assert set(waits) == {1.0}  # new bytes earn new patience
    assert intact("mnist", shop, tmp_path / "data")


def test_a_part_left_by_an_earlier_run_is_continued(shop, get, server, tmp_path):
    part = tmp_path / "data" / f"{IMAGES}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(shop.files[IMAGES][:500])
    get("mnist")
    assert server.asked[0] == (IMAGES, "bytes=500-")
    assert not part.exists()
    assert intact("mnist", shop, tmp_path / "data")


@pytest.mark.parametrize("extra", [0, 7])
def test_a_part_of_something_else_is_fetched_anew(extra, shop, get, server, tmp_path):
    part = tmp_path / "data" / f"{IMAGES}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(len(shop.files[IMAGES]) + extra) if extra else bytes(500))
    get("mnist")
    asked = [range_ for name, range_ in server.asked if name == IMAGES]
    assert asked == ([None] if extra else ["bytes=500-", None])
    assert intact("mnist", shop, tmp_path / "data")


def test_a_complete_part_needs_no_request(shop, get, server, tmp_path):
    part = tmp_path / "data" / f"{IMAGES}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(shop.files[IMAGES])
    get("mnist")
    assert IMAGES not in dict(server.asked)


def test_a_server_without_ranges_starts_over(shop, get, server, waits, tmp_path):
    server.ranges, server.drop_after, server.drops = False, 400, 2
    get("mnist")
    assert intact("mnist", shop, tmp_path / "data")
    assert [asked for name, asked in server.asked if name == IMAGES] == [None, "bytes=400-", "bytes=400-"]
    assert waits == [1.0, 2.0]  # the same 400 bytes again are no progress


def test_a_server_that_tells_no_length(shop, get, server, tmp_path):
    server.length, server.drop_after, server.drops = False, 400, 1
    get("mnist")
    assert intact("mnist", shop, tmp_path / "data")


def test_patience_ends_and_what_came_is_kept(shop, get, server, waits, tmp_path):
    server.ranges, server.drop_after = False, 400
    with pytest.raises(DataError) as caught:
        get("mnist")
    size = len(shop.files[IMAGES])
    assert str(caught.value) == (
        f"{server.address}/{IMAGES} must serve {size:,} bytes, but the connection ended early (400 bytes kept, "
        "3 attempts); run the command again to go on, or try again later, or name a mirror in DSE_DATA_MIRROR"
    )
    assert waits == [1.0, 2.0]
    assert (tmp_path / "data" / f"{IMAGES}.part").stat().st_size == 400
    assert not (tmp_path / "data" / IMAGES).exists()
    server.ranges, server.drop_after = True, None
    get("mnist")
    assert intact("mnist", shop, tmp_path / "data")


def test_going_to_and_fro_is_no_progress(shop, get, server, waits):
    server.ranges, server.drop_after = False, [400, 200, 400]
    with pytest.raises(DataError, match="3 attempts"):
        get("mnist")
    assert waits == [1.0, 2.0]


def test_a_range_that_cannot_be_served_starts_over(shop, get, server, tmp_path):
    part = tmp_path / "data" / f"{IMAGES}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(shop.files[IMAGES][:500])
    server.answers = [416]
    get("mnist")
    assert [asked for name, asked in server.asked if name == IMAGES] == ["bytes=500-", None]
    assert intact("mnist", shop, tmp_path / "data")


def test_nobody_listening_is_a_passing_failure(get, shop, waits, server):
    with pytest.raises(DataError, match=r"must serve [\d,]+ bytes, but .*refused.* 3 attempts"):
        get("mnist", base_url="http://127.0.0.1:1")
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_a_busy_server_is_asked_again(status, shop, get, server, waits, tmp_path):
    server.answers = [status, status]
    get("mnist")
    assert waits == [1.0, 2.0]
    assert intact("mnist", shop, tmp_path / "data")


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_refusal_ends_at_once_and_leaves_nothing(status, get, server, waits, tmp_path):
    server.answers = [status]
    with pytest.raises(DataError, match=rf"{IMAGES} must be there, but the server answers {status}; try again later"):
        get("mnist")
    assert waits == []
    assert list((tmp_path / "data" / "mnist").iterdir()) == []


def test_a_redirect_is_followed_with_its_range(shop, get, server, tmp_path):
    server.redirect, server.drop_after, server.drops = True, 400, 1
    get("mnist")
    asked = [step for step in server.asked if step[0].endswith(IMAGES)]
    assert asked == [
        (IMAGES, None),
        (f"moved/{IMAGES}", None),
        (IMAGES, "bytes=400-"),
        (f"moved/{IMAGES}", "bytes=400-"),
    ]
    assert intact("mnist", shop, tmp_path / "data")


def test_a_wrong_file_of_the_right_size_never_gets_the_name(shop, get, server, tmp_path):
    data = shop.files[IMAGES]
    server.files[IMAGES] = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(DataError, match=rf"{IMAGES} serves a wrong file: .* must have sha256 .*, not .*; try again"):
        get("mnist")
    assert list((tmp_path / "data" / "mnist").iterdir()) == []
    assert server.asked == [(IMAGES, None)]


@pytest.mark.parametrize("change", [lambda data: b"<html>Not here</html>", lambda data: data + b"x"])
def test_a_wrong_size_is_refused_before_a_byte_is_stored(change, shop, get, server, tmp_path):
    expected = len(shop.files[IMAGES])
    server.files[IMAGES] = change(shop.files[IMAGES])
    with pytest.raises(DataError, match=rf"must serve {expected:,} bytes, not {len(server.files[IMAGES]):,}; try"):
        get("mnist")
    assert list((tmp_path / "data" / "mnist").iterdir()) == []


def test_a_flood_without_length_is_stopped(shop, get, server, tmp_path):
    server.length = False
    server.files[IMAGES] = bytes(5_000_000)
    with pytest.raises(DataError, match="bytes, not more; try"):
        get("mnist")
    left = sum(path.stat().st_size for path in (tmp_path / "data" / "mnist").iterdir())
    assert left <= len(shop.files[IMAGES])


def test_an_intact_target_survives_until_its_replacement_is_verified(shop, get, server, tmp_path):
    target = tmp_path / "data" / IMAGES
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    server.files[IMAGES] = bytes(len(shop.files[IMAGES]))
    with pytest.raises(DataError, match="serves a wrong file"):
        get("mnist")
    assert target.read_bytes() == b"old"


def archive_of(shop, server, members):
    """The shop with another archive for CIFAR-100, its record adjusted."""
    data = _archive("cifar-100-python", members)
    url = f"{server.address}/cifar-100-python/cifar-100-python.tar.gz"
    server.files["cifar-100-python/cifar-100-python.tar.gz"] = data
    source = shop.sources["cifar100"]
    container = replace(source.containers[0], archive=record("cifar-100-python.tar.gz", "archive", data, url))
    sources = {**shop.sources, "cifar100": replace(source, containers=(container,))}
    return replace(shop, sources=MappingProxyType(sources))


def test_an_archive_with_a_wrong_member_or_without_one_is_refused(shop, get, server, tmp_path):
    good = {name: shop.files[f"cifar-100-python/{name}"] for name in ("train", "test")}
    wrong = archive_of(shop, server, {**good, "train": bytes(len(good["train"]))})
    with pytest.raises(DataError, match=r"train.part must have sha256 .*, not"):
        get("cifar100", published=wrong)
    assert not (tmp_path / "data" / "cifar-100-python" / "train").exists()
    without = archive_of(shop, server, {"train": good["train"]})
    with pytest.raises(DataError, match=r"must hold cifar-100-python/test, but does not"):
        get("cifar100", published=without)


def test_a_member_outside_the_folder_is_never_written(shop, get, server, tmp_path):
    good = {name: shop.files[f"cifar-100-python/{name}"] for name in ("train", "test")}
    get("cifar100", published=archive_of(shop, server, {**good, "../../../outside": b"x", "extra": b"y"}))
    found = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"train", "test"}


def test_a_download_that_is_no_archive_is_refused(shop, get, server):
    broken = archive_of(shop, server, {})
    data = b"not an archive"
    name = "cifar-100-python/cifar-100-python.tar.gz"
    server.files[name] = data
    source = broken.sources["cifar100"]
    archive = record("cifar-100-python.tar.gz", "archive", data, f"{server.address}/{name}")
    container = replace(source.containers[0], archive=archive)
    sources = MappingProxyType({**broken.sources, "cifar100": replace(source, containers=(container,))})
    with pytest.raises(DataError, match=r"cifar-100-python.tar.gz must be an intact archive \("):
        get("cifar100", published=replace(broken, sources=sources))


def test_a_mirror_serves_folder_and_name(shop, server, tmp_path, get, monkeypatch):
    elsewhere = publish("http://127.0.0.1:1")
    get("mnist", published=elsewhere, base_url=server.address + "/")
    assert intact("mnist", elsewhere, tmp_path / "data")
    shutil.rmtree(tmp_path / "data")
    monkeypatch.setenv("DSE_DATA_MIRROR", server.address)
    get("cifar100", published=elsewhere)
    assert intact("cifar100", elsewhere, tmp_path / "data")


@pytest.mark.parametrize("base", ["file:///etc", "ftp://host", "mirror.example"])
def test_a_mirror_must_be_an_http_address(base, get):
    with pytest.raises(DataError, match=r"^mirror must be an http:// or https:// address, not"):
        get("mnist", base_url=base)


def test_files_are_put_where_the_others_already_lie(shop, get, tmp_path):
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, data in shop.files.items():
        if name.startswith("mnist/") and "labels" in name:
            (raw / name.split("/")[1]).write_bytes(data)
    assert {path.parent for path in get("mnist")} == {raw}


def test_two_downloads_at_once_do_not_mix(get, tmp_path):
    part = tmp_path / "data" / f"{IMAGES}.part"
    part.parent.mkdir(parents=True)
    with part.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        with pytest.raises(DataError, match=r"part must not be written by another process; wait"):
            get("mnist")
    assert part.exists()


def test_a_folder_that_refuses_is_named(get, tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz.part must be writable, but .*; name another"):
        get("mnist")


def test_a_full_disk_is_not_waited_for():
    with FileIO("/dev/full", "w") as full, pytest.raises(DataError, match="must fit on its disk, but No space left"):
        append(full, b"data")


def test_the_bundled_set_needs_no_download_and_unknown_names_are_refused():
    assert fetch("digits") == ()
    with pytest.raises(DataError, match="did you mean cifar100"):
        fetch("cifar1000")


def test_a_file_must_have_its_checksum_on_record():
    with pytest.raises(DataError, match=r"^data file images must have a sha256 or md5 on record"):
        _ = DataFile("images", "train").checksum
    assert Container("idx", "T").downloads == ()


def without_size(shop):
    """Every file of mnist without its size on record."""
    source = shop.sources["mnist"]
    (container,) = source.containers
    files = tuple(replace(file, bytes=None) for file in container.files)
    made = replace(source, containers=(replace(container, files=files),))
    return replace(shop, sources=MappingProxyType({**shop.sources, "mnist": made}))


def test_a_file_whose_size_is_not_on_record_has_the_one_that_the_server_announces(shop, server, get, tmp_path):
    unsized = without_size(shop)
    server.drop_after = [10_000, 40]  # the first answer is only asked for its size
    assert len(get("mnist", published=unsized)) == 4
    assert intact("mnist", shop, tmp_path / "data")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"length": False}, r"must announce a size of at most 2,147,483,648 bytes, not none; try again later"),
        ({"answers": [404]}, r"must be there, but HTTP Error 404.*; try again later"),
    ],
)
def test_a_server_that_announces_nothing_is_not_trusted(shop, server, get, how, message):
    for name, value in how.items():
        setattr(server, name, value)
    with pytest.raises(DataError, match=message):
        get("mnist", published=without_size(shop))


def test_an_announced_size_without_bound_is_refused(shop, get, monkeypatch):
    monkeypatch.setattr("dse.data.transfer.LARGEST_UNRECORDED", 10)
    with pytest.raises(DataError, match=r"must announce a size of at most 10 bytes, not \d+"):
        get("mnist", published=without_size(shop))


def test_what_only_browsers_may_have_is_fetched_by_hand_or_from_a_mirror(shop, server, get, tmp_path):
    data = b"gestures"
    file = replace(record("Gestures.tar.gz", "all", data), bytes=None)
    container = Container("gesture-tar", "Gestures", ("dvs",), (file,), page="https://example.org/gestures")
    source = replace(shop.sources["mnist"], name="gestures", containers=(container,))
    held = replace(shop, sources=MappingProxyType({"gestures": source}))
    place = tmp_path / "data" / "dvs" / "Gestures.tar.gz"
    with pytest.raises(DataError) as caught:
        get("gestures", published=held)
    assert str(caught.value) == (
        "Gestures.tar.gz of Gestures must be downloaded by hand, since its publisher serves it to browsers alone; "
        f"take it from https://example.org/gestures and save it as {place}"
    )
    server.files["dvs/Gestures.tar.gz"] = data
    assert get("gestures", published=held, base_url=server.address) == (place,)
    assert place.read_bytes() == data
    with pytest.raises(
        DataError, match=r"Gestures must lie in .*, but is missing; download it from https://example.org/"
    ):
        load("gestures", tmp_path, sources=held.sources)
