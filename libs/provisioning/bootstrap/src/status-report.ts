import { AGENT_MANAGER_FOLDER } from './agent-manager-folder';

/** On a file system in memory: a full disk cannot keep the server from saying so. Mounted into the proxy. */
export const STATUS_FOLDER = '/run/agent-manager';

/** What holds the callback's address and token, in curl's syntax: a token among arguments could be read by anyone. */
export const CALLBACK_FILE = `${AGENT_MANAGER_FOLDER}/callback.curlrc`;

/** systemd makes the folder again at every boot, with the document as it was last kept. */
export const STATUS_TMPFILES = `d ${STATUS_FOLDER} 0755 root root -
C ${STATUS_FOLDER}/status.json 0644 root root - ${AGENT_MANAGER_FOLDER}/status/status.json
`;

/** The path at which the server says how far it is, over TLS with its own key, to anyone: nothing in it is secret. */
export const STATUS_PATH = '/.well-known/agent-controller/status';

/**
 * Keeps the server's status document and sends it to the controller. Python, since cloud-init brings it, with YAML.
 * The whole document goes out each time, so a report that gets lost is made good by the next.
 */
export const STATUS_REPORT = `#!/usr/bin/env python3
"""Keeps the document that says how far this server is.

report.py begin STAGE | end STAGE | finish [...]   several at once are one change
report.py fail STAGE LINE EXIT_CODE CAUSE
report.py image SERVICE                            prints the image of a service
report.py serve                                    answers for the proxy where that never ran
"""
import datetime
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time

HOME = "${AGENT_MANAGER_FOLDER}"
FOLDER = "${STATUS_FOLDER}"
DOCUMENT = FOLDER + "/status.json"
LOG = FOLDER + "-log/bootstrap.log"
CALLBACK = "${CALLBACK_FILE}"
# Values of the override file that may be told.
PUBLIC = {
    "AGENT_DEFAULT_IMAGE", "AUTHENTICATION_METHOD", "GIT_REPOSITORY_URL", "KEYCLOAK_AUTH_SERVER_URL",
    "KEYCLOAK_CLIENT_ID", "KEYCLOAK_REALM", "KEYCLOAK_SERVER_URL", "RATE_LIMIT_ENABLED", "RATE_LIMIT_LIMIT",
    "RATE_LIMIT_TTL",
}
TELLING = re.compile(r"(?i)error|fail|denied|unhealthy|unauthorized|could ?n.t|could not|cannot|no space|not found|^E: |curl: \\(")


def iso(seconds):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def services(name):
    import yaml

    with open(HOME + "/" + name, encoding="utf-8") as file:
        return yaml.safe_load(file)["services"]


def text_of(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def secrets():
    values = set()
    # Before they are fetched, the secret files are not here.
    if os.path.exists(HOME + "/docker-compose.override.yml"):
        for service in services("docker-compose.override.yml").values():
            for name, value in service["environment"].items():
                if name not in PUBLIC:
                    values.add(str(value).replace("$$", "$"))
    values.update(line for line in text_of(HOME + "/tls/key.pem").splitlines() if not line.startswith("-----"))
    for path in (CALLBACK, HOME + "/redemption.curlrc"):
        values.update(re.findall('Bearer ([^"]+)', text_of(path)))
    parts = {line.strip() for value in values for line in [value, *value.splitlines()]}
    # Programs like to print values as JSON.
    parts |= {json.dumps(part, ensure_ascii=plain)[1:-1] for part in parts for plain in (True, False)}
    return sorted((part for part in parts if len(part) >= 6), key=len, reverse=True)


def redacted(text):
    for secret in secrets():
        text = text.replace(secret, "[secret]")
    return text


def log_tail():
    with open(LOG, "rb") as file:
        file.seek(max(0, os.path.getsize(LOG) - 65536))
        text = file.read().decode("utf-8", "replace")
    text = re.sub(r"\\x1b\\[[0-9;]*[A-Za-z]", "", redacted(text))
    lines = [re.sub(r"[\\x00-\\x1f\\x7f]", " ", line)[:240].rstrip() for line in text.splitlines()]
    lines = [line for line in lines if line][-40:]
    while sum(len(json.dumps(line)) for line in lines) > 9000:
        lines.pop(0)
    return lines


def begin(document, stage):
    document["stages"].append({"name": stage, "startedAt": iso(time.time()), "endedAt": None})


def end(document, stage):
    for entry in document["stages"]:
        if entry["name"] == stage and entry["endedAt"] is None:
            entry["endedAt"] = iso(time.time())


def settle(document):
    """Of several stages that run, the one that began last is named."""
    current = [entry for entry in document["stages"] if entry["endedAt"] is None] or document["stages"]
    document.update(stage=current[-1]["name"], since=current[-1]["startedAt"])


def fail(document, stage, line, exit_code, cause):
    try:
        lines = log_tail()
    except Exception as problem:
        lines = ["The log could not be read: %s" % type(problem).__name__]
    free = shutil.disk_usage("/").free // 1_000_000
    if free < 100:
        cause = "%s: the disk is full (%d MB left)" % (cause, free)
    else:
        telling = [text for text in lines if TELLING.search(text) and not text.startswith("== ")]
        if telling:
            cause = "%s (%s)" % (cause, telling[-1])
    document.update(
        state="failed", stage=stage, since=iso(time.time()),
        error={"stage": stage, "cause": cause, "line": int(line), "exitCode": int(exit_code), "logTail": lines},
    )


def fresh():
    now = time.time()
    with open("/proc/uptime", encoding="ascii") as file:
        booted = now - float(file.read().split()[0])
    boot = {"name": "boot", "startedAt": iso(booted), "endedAt": iso(now)}
    return {
        "version": 1, "seq": 0, "state": "running", "stage": "boot", "since": iso(booted), "startedAt": iso(now),
        "stages": [boot], "error": None,
    }


def read():
    try:
        with open(DOCUMENT, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return fresh()


def change(arguments):
    os.makedirs(FOLDER, exist_ok=True)
    os.chmod(FOLDER, 0o755)
    # Stages overlap, and so do their reports.
    with open(FOLDER + "-log/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        document = read()
        if document["state"] == "failed":
            return
        if arguments[0] == "fail":
            fail(document, *arguments[1:])
        while arguments and arguments[0] != "fail":
            if arguments[0] == "finish":
                document["state"] = "finished"
                arguments = arguments[1:]
            else:
                {"begin": begin, "end": end}[arguments[0]](document, arguments[1])
                arguments = arguments[2:]
            settle(document)
        document["seq"] += 1
        body = json.dumps(document)
        with open(DOCUMENT + ".new", "w", encoding="utf-8") as file:
            file.write(body)
        os.chmod(DOCUMENT + ".new", 0o644)
        os.replace(DOCUMENT + ".new", DOCUMENT)
    tell(body, "4" if document["state"] == "running" else "20")


def tell(body, retries):
    """Nothing waits for the answer. curl verifies the controller as every browser would."""
    if not os.path.exists(CALLBACK) or not shutil.which("curl"):
        return
    command = ["curl", "--config", CALLBACK, "--silent", "--max-time", "15", "--retry", retries,
               "--retry-connrefused", "--retry-max-time", "900", "--data-binary", "@-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    process.stdin.write(body.encode("utf-8"))
    process.stdin.close()


def serve():
    import http.server
    import socket
    import ssl

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self):
            if self.path != "${STATUS_PATH}":
                return self.send_error(404)
            with open(DOCUMENT, "rb") as file:
                body = file.read()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HOME + "/tls/cert.pem", HOME + "/tls/key.pem")

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

        def server_bind(self):
            if self.address_family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            super().server_bind()

        def get_request(self):
            # The handshake happens in the connection's own thread.
            connection, address = super().get_request()
            connection.settimeout(10)
            return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

        def handle_error(self, *_):
            pass

    Server(("", 3000), Handler).serve_forever()


if sys.argv[1] == "serve":
    serve()
elif sys.argv[1] == "image":
    print(services("docker-compose.yml")[sys.argv[2]]["image"].replace("$$", "$"))
else:
    change(sys.argv[1:])
`;
