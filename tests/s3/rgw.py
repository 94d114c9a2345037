#!/usr/bin/env python3
"""Ceph's RADOS Gateway with one monitor and one object store on loopback: a real S3 server, HTTP and TLS, with STS and
a test key for SSE-KMS. Rig program (rig.py). Debian 12: radosgw ceph-mon ceph-osd ceph-common openssl.

    rgw.py [--store memstore|bluestore] [--bytes N] [--extra 'line of [client.rgw]']...

Prints {"url", "tls_url", "ca", "access_key", "secret_key", "other_access_key", "other_secret_key", "role", "log",
"kms_key"}: two users, a role that the first may take (s3:* allowed), the log that names every request.

What made it quick and steady (Ceph 16): the paxos intervals below (13 s -> 1.5 s); with auth none a client's first
command can overtake the monmap and be refused for its fsid, so the store is placed by hand and commands are tried
again; deleted data is freed at once by the rgw_gc lines; with GC off a memory store only grows."""
import argparse
import base64
import glob
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
import uuid

import rig

ACCESS, SECRET = "RGWTESTACCESSKEY", "rgw+test/secret0123456789abcdefABCDEF"
OTHER_ACCESS, OTHER_SECRET = "RGWOTHERACCESSKEY", "rgw+other/secret0123456789abcdefABCD"
KMS_KEY = "testkey-1"
CONFIGURATION = """[global]
fsid = {fsid}
mon_host = 127.0.0.1:{mon_port}
ms_bind_msgr2 = false
ms_bind_ipv6 = false
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
auth_supported = none
auth_allow_insecure_global_id_reclaim = false
keyring = {folder}/keyring
run_dir = {folder}/run
admin_socket = {folder}/run/$name.asok
log_file = {folder}/log/$name.log
log_to_stderr = false
err_to_stderr = false
crash_dir = {folder}/log
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 2000
mon_cluster_log_file = {folder}/log/cluster.log
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
[mon]
mon_data = {folder}/mon
mon_data_avail_crit = 1
mon_data_avail_warn = 2
[osd]
osd_data = {folder}/osd
osd_objectstore = {store}
memstore_device_bytes = {bytes}
bluestore_block_size = {bytes}
osd_memory_target = 1073741824
osd_crush_update_on_start = false
osd_class_update_on_start = false
osd_class_dir = {classes}
osd_class_load_list = *
osd_class_default_list = *
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:{port} {tls}
rgw_data = {folder}/run
rgw_enable_usage_log = false
rgw_gc_obj_min_wait = 2
rgw_gc_processor_period = 5
rgw_gc_processor_max_time = 5
rgw_enable_lc_threads = false
rgw_enable_quota_threads = false
rgw_dns_name = localhost
rgw_thread_pool_size = 64
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = {kms_key}={kms_secret}
rgw_sts_key = abcdefghijklmnop
rgw_s3_auth_use_sts = true
{extra}
"""
TRUST = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/test"]},'
         '"Action":["sts:AssumeRole"]}]}')
POLICY = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],'
          '"Resource":"arn:aws:s3:::*"}]}')


class Cluster:
    def __init__(self, stage, options):
        self.stage, self.folder = stage, stage.folder
        self.mon_port, self.port, self.tls_port = rig.free_ports(3)
        for name in ("mon", "osd", "run", "log"):
            os.mkdir(stage.path(name))
        self.cert, key = rig.make_certificate(self.folder)
        classes = sorted(glob.glob("/usr/lib/*/rados-classes") + glob.glob("/usr/lib/rados-classes"))
        self.fsid = str(uuid.uuid4())
        stage.write("ceph.conf", CONFIGURATION.format(
            fsid=self.fsid, folder=self.folder, mon_port=self.mon_port, port=self.port, store=options.store,
            bytes=options.bytes, classes=(classes or ["/nowhere"])[0],
            tls=f"ssl_endpoint=127.0.0.1:{self.tls_port} ssl_certificate={self.cert} ssl_private_key={key}",
            kms_key=KMS_KEY, kms_secret=base64.b64encode(b"0123456789abcdef" * 2).decode(),
            extra="\n".join(options.extra)))
        self.env = rig.clean_environment(CEPH_CONF=stage.path("ceph.conf"), CEPH_ARGS="",
                                         PATH=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin")

    def run(self, *command, tries=1):
        for left in range(tries - 1, -1, -1):
            done = subprocess.run(command, env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
            if done.returncode == 0:
                return done.stdout.decode()
            if left:
                time.sleep(0.1)
        raise RuntimeError(f"{' '.join(command[:4])} ended with {done.returncode}: {done.stderr.decode()[-800:]}")

    def start(self):
        stage, run = self.stage, self.run
        run("ceph-authtool", "--create-keyring", "keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        run("ceph-authtool", "keyring", "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd",
            "allow *", "--cap", "mgr", "allow *")
        run("monmaptool", "--create", "--clobber", "--addv", "a",
            f"[v1:127.0.0.1:{self.mon_port}]", "--fsid", self.fsid, "monmap")
        run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring")
        stage.start("mon", ["ceph-mon", "-f", "-i", "a"], self.env)
        store_id = str(uuid.uuid4())
        prepare = threading.Thread(target=run, args=("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", store_id))
        stage.wait_until(lambda: rig.listens(self.mon_port), 120, "the monitor listens")
        run("ceph", "--connect-timeout", "20", "osd", "new", store_id, tries=20)
        prepare.start()
        run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=localhost", tries=20)
        prepare.join()
        stage.start("osd", ["ceph-osd", "-f", "-i", "0"], self.env)
        # waits for the store by itself
        run("radosgw-admin", "user", "create", "--uid=test", "--display-name=test", "--access-key=" + ACCESS,
            "--secret-key=" + SECRET, tries=20)
        stage.start("rgw", ["radosgw", "-f", "-n", "client.rgw"], self.env)
        run("radosgw-admin", "user", "create", "--uid=other", "--display-name=other", "--access-key=" + OTHER_ACCESS,
            "--secret-key=" + OTHER_SECRET, tries=20)
        run("radosgw-admin", "role", "create", "--role-name=writer",
            "--path=/", "--assume-role-policy-doc=" + TRUST, tries=5)
        run("radosgw-admin", "role-policy", "put", "--role-name=writer",
            "--policy-name=all", "--policy-doc=" + POLICY, tries=5)
        stage.wait_until(self.answers, 180, "the gateway answers")

    def answers(self):
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{self.port}/",
                                        timeout=5)
            return rig.listens(self.tls_port)
        except OSError:
            return False

    def told(self):
        return {
            "url": f"http://127.0.0.1:{self.port}",
            "tls_url": f"https://localhost:{self.tls_port}",
            "ca": self.cert,
            "access_key": ACCESS,
            "secret_key": SECRET,
            "other_access_key": OTHER_ACCESS,
            "other_secret_key": OTHER_SECRET,
            "role": "arn:aws:iam:::role/writer",
            "kms_key": KMS_KEY,
            "log": self.stage.path("log", "client.rgw.log")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["memstore", "bluestore"], default="memstore")
    parser.add_argument("--bytes", type=int, default=8 << 30)
    parser.add_argument("--extra", action="append", default=[])
    options = parser.parse_args()

    def start(stages):
        rig.need(radosgw="radosgw", ceph_mon="ceph-mon", ceph_osd="ceph-osd", ceph="ceph-common",
                 radosgw_admin="radosgw", monmaptool="ceph-common")
        stage = rig.Stage("rgw")
        stages.append(stage)
        if shutil.disk_usage("/tmp").free < 200 << 20:
            raise RuntimeError("less than 200 MiB free in /tmp: the monitor would not work")
        cluster = Cluster(stage, options)
        cluster.start()
        return cluster.told()

    return rig.serve(start)


if __name__ == "__main__":
    sys.exit(main())
