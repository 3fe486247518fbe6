"""A session of docker-py, in its own words: what it sees goes to stdout. Played by test/long/clients.test.ts."""
import io
import tarfile
import time

import docker

client = docker.from_env()


def until(container, status):
    for _ in range(200):
        container.reload()
        if container.health == status:
            return status
        time.sleep(0.1)
    return container.health


print("version", client.version()["ApiVersion"], client.ping())
since = int(time.time()) - 1
network = client.networks.create("docker-py", labels={"made": "docker-py"})
web = client.containers.run(
    "clients:1",
    detach=True,
    name="docker-py-web",
    labels={"made": "docker-py"},
    ports={"80/tcp": None},
    network="docker-py",
    healthcheck={"test": ["CMD-SHELL", "test ! -e /tmp/bad"], "interval": 500_000_000, "retries": 1},
)
print("health", until(web, "healthy"), web.status)
print("port", int(web.ports["80/tcp"][0]["HostPort"]) > 0)
print("exec", web.exec_run(["sh", "-c", "echo out; echo err >&2; exit 3"], demux=True))
print("exec stream", b"".join(web.exec_run(["sh", "-c", "sleep 0.3; seq 3"], stream=True).output))
print("run", client.containers.run("clients:1", "wget -q -O - http://docker-py-web/", remove=True, network="docker-py"))
try:
    client.containers.run("clients:1", ["sh", "-c", "echo bad >&2; exit 7"], remove=True)
except docker.errors.ContainerError as error:
    print("fails", error.exit_status, error.stderr)

packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w") as tar:
    member = tarfile.TarInfo("copied")
    member.size = 5
    tar.addfile(member, io.BytesIO(b"hello"))
print("put", web.put_archive("/tmp", packed.getvalue()), web.exec_run("cat /tmp/copied").output)
chunks, stat = web.get_archive("/tmp/copied")
with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
    print("get", stat["name"], stat["size"], tar.extractfile("copied").read())

attached = web.exec_run("cat", stdin=True, socket=True, demux=False).output
attached._sock.sendall(b"input")
attached._sock.shutdown(1)
print("socket", attached.read()[8:])
attached.close()

print("listed", [one.name for one in client.containers.list(filters={"health": "healthy", "label": "made=docker-py"})])
print("stats", web.stats(stream=False)["pids_stats"]["current"] > 0, "top", "CMD" in web.top()["Titles"])
web.exec_run("touch /tmp/bad")
print("health", until(web, "unhealthy"), web.attrs["State"]["Health"]["FailingStreak"] > 0)

other = client.networks.create("docker-py-2")
other.connect(web, aliases=["second"])
web.reload()
print("networks", sorted(web.attrs["NetworkSettings"]["Networks"]))
other.disconnect(web)
other.remove()
volume = client.volumes.create("docker-py", labels={"made": "docker-py"})
client.containers.run("clients:1", "touch /data/kept", remove=True, volumes={"docker-py": {"bind": "/data", "mode": "rw"}})
print("volume", client.containers.run("clients:1", "ls /data", remove=True, volumes=["docker-py:/data:ro"]))
volume.remove()

talker = client.containers.run("clients:1", ["sh", "-c", "echo one; sleep 0.3; echo two >&2"], detach=True)
print("logs", sorted(talker.logs(stream=True, follow=True)), talker.wait()["StatusCode"])
print("stderr", talker.logs(stdout=False))
talker.remove()
image = client.images.get("clients:1")
print("image", image.tags, image.attrs["Config"]["Healthcheck"]["Test"], image.tag("docker-py", "2"))
client.images.remove("docker-py:2")
saved = b"".join(image.save(named=True))
print("load", [one.tags for one in client.images.load(saved)])

web.restart(timeout=0)
web.stop(timeout=0)
print("exited", web.wait()["StatusCode"])
web.rename("docker-py-renamed")
client.containers.get("docker-py-renamed").remove()
network.remove()
seen = client.events(since=since, until=int(time.time()) + 1, decode=True, filters={"label": "made=docker-py"})
actions = [one["Action"] for one in seen if one["Type"] == "container" and not one["Action"].startswith("exec_")]
print("events", [action for action in actions if action.startswith("health") or action in ("create", "rename", "destroy")])
try:
    client.containers.get("docker-py-renamed")
except docker.errors.NotFound as error:
    print("missing", error.status_code, error.explanation)
print("df", sorted(client.df())[:2])
