#!/usr/bin/env python3
"""OpenStack Swift with its s3api on loopback, one replica: a second, independent S3 server, strict about the protocol.
Rig program (rig.py). Debian 12: swift-proxy swift-account swift-container swift-object python3-swift memcached.

Prints {"url", "access_key", "secret_key"}. Swift reads /etc/swift/swift.conf whatever it is told; where there is none,
one is written (and stays: it is three lines that name no place)."""
import os
import subprocess
import sys
import urllib.request

import rig

ACCESS, SECRET = "test:tester", "swift-testing-secret"
HASH = "[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n"
# No server is given up because the machine is busy: an update of a listing that took more than a second would wait for
# a daemon that does not run here, and a server that answered late ten times would be left alone for a minute.
PATIENCE = """conn_timeout = 30
node_timeout = 60
recoverable_node_timeout = 60
container_update_timeout = 60
error_suppression_limit = 1000000
"""
BACK = """[DEFAULT]
swift_dir = {folder}
devices = {folder}/srv
mount_check = false
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
log_address = {folder}/no-log
recon_cache_path = {folder}
""" + PATIENCE + """[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
FRONT = """[DEFAULT]
swift_dir = {folder}
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
log_address = {folder}/no-log
""" + PATIENCE + """[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo versioned_writes
    proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = localhost
auth_pipeline_check = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
"""
PLAIN = ("catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "slo", "dlo", "versioned_writes")


def start(stages):
    rig.need(swift_proxy_server="swift-proxy", swift_object_server="swift-object", swift_account_server="swift-account",
             swift_container_server="swift-container", swift_ring_builder="swift-proxy", memcached="memcached")
    if os.geteuid() != 0:
        raise rig.Skip("Swift's s3api needs root here (/etc/swift)")
    stage = rig.Stage("swift")
    stages.append(stage)
    folder, user = stage.folder, "root"
    os.makedirs(stage.path("srv", "d1"))
    stage.write("swift.conf", HASH)
    os.makedirs("/etc/swift", exist_ok=True)
    if not os.path.exists("/etc/swift/swift.conf"):
        with open("/etc/swift/swift.conf", "w", encoding="utf-8") as hashes:
            hashes.write(HASH)
    ports = dict(zip(("front", "memcached", "object", "container", "account"), rig.free_ports(5)))
    env = rig.clean_environment(PATH=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin")
    stage.start("memcached", ["memcached", "-u", user, "-l", "127.0.0.1",
                "-p", str(ports["memcached"]), "-m", "32"], env)
    for kind in ("object", "container", "account"):
        builder = stage.path(kind + ".builder")
        for words in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{ports[kind]}/d1", "1"], ["rebalance"]):
            subprocess.run(["/usr/bin/swift-ring-builder", builder, *words],
                           check=True, env=env, stdout=subprocess.DEVNULL)
        path = stage.write(kind + ".conf", BACK.format(folder=folder, port=ports[kind], kind=kind, user=user))
        stage.start(kind, [f"/usr/bin/swift-{kind}-server", path], env)
    front = FRONT.format(folder=folder, port=ports["front"], secret=SECRET, memcached=ports["memcached"], user=user)
    front += "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in PLAIN)
    stage.start("proxy", ["/usr/bin/swift-proxy-server", stage.write("proxy.conf", front)], env)
    url = f"http://127.0.0.1:{ports['front']}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def healthy():
        try:
            return opener.open(url + "/healthcheck", timeout=2).status == 200 and \
                all(rig.listens(ports[kind]) for kind in ("object", "container", "account"))
        except OSError:
            return False

    stage.wait_until(healthy, 180, "Swift's proxy answers")
    return {"url": url, "access_key": ACCESS, "secret_key": SECRET}


if __name__ == "__main__":
    sys.exit(rig.serve(start))
