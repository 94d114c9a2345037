#!/usr/bin/env python3
"""nginx with Lua, for three rigs (rig.py). Debian 12: nginx-light libnginx-mod-http-lua openssl.

    nginx_rig.py sink             an S3 that throws bodies away (sink.lua): {"url", "tls_url", "ca"}
    nginx_rig.py fault UPSTREAM   faults in front of the server on that port (fault.lua): {"url", "tls_url", "ca",
                                  "control"}
    nginx_rig.py store FOLDER     the files of a folder to be read, FOLDER/BUCKET/KEY: {"url", "tls_url", "ca"}"""
import glob
import os
import sys

import rig


def start(stages):
    kind, upstream = (sys.argv[1:] + ["", ""])[:2]
    if kind not in ("sink", "fault", "store") or (kind == "fault" and not upstream.isdigit()) or (
            kind == "store" and not os.path.isdir(upstream)):
        raise RuntimeError("usage: nginx_rig.py sink | fault UPSTREAM_PORT | store FOLDER")
    rig.need(nginx="nginx-light")
    modules = next((os.path.dirname(p) for p in glob.glob("/usr/lib/nginx/modules/ngx_http_lua_module.so")), None)
    if modules is None:
        raise rig.Missing("missing; apt-get install --no-install-recommends libnginx-mod-http-lua")
    stage = rig.Stage(kind)
    stages.append(stage)
    cert, key = rig.make_certificate(stage.folder)
    port, tls_port, control = rig.free_ports(3)
    with open(os.path.join(rig.HERE, kind + ".conf"), encoding="utf-8") as template:
        text = template.read()
    words = {"MODULES": modules, "HERE": rig.HERE, "CERT": cert, "KEY": key, "PORT": port, "TLS_PORT": tls_port,
             "CONTROL": control, "UPSTREAM": upstream}
    for name, value in words.items():
        text = text.replace(f"@{name}@", str(value))
    env = rig.clean_environment(PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    stage.start("nginx", ["nginx", "-p", stage.folder, "-c",
                stage.write("nginx.conf", text), "-e", stage.path("start.err")], env)
    stage.wait_until(lambda: rig.listens(port) and rig.listens(tls_port), 120, "nginx listens")
    told = {"url": f"http://127.0.0.1:{port}", "tls_url": f"https://localhost:{tls_port}", "ca": cert}
    if kind == "fault":
        told["control"] = f"http://127.0.0.1:{control}"
    return told


if __name__ == "__main__":
    sys.exit(rig.serve(start))
