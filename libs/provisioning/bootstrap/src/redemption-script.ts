import { AGENT_MANAGER_FOLDER } from './agent-manager-folder';
import { CALLBACK_FILE } from './status-report';

/** Address and bootstrap token, in curl's syntax as the callback's. Gone once the secret files are here. */
export const REDEMPTION_FILE = `${AGENT_MANAGER_FOLDER}/redemption.curlrc`;
/** Whose secret files they are: what the server signs besides its key and the time. Nothing secret. */
export const REDEMPTION_SUBJECT_FILE = `${AGENT_MANAGER_FOLDER}/redemption.json`;

export const OVERRIDE_FILE = `${AGENT_MANAGER_FOLDER}/docker-compose.override.yml`;
export const TLS_KEY_FILE = `${AGENT_MANAGER_FOLDER}/tls/key.pem`;

/** First line of what a server signs, so that its signature means nothing elsewhere. */
export const REDEMPTION_DOMAIN = 'agent-controller bootstrap redemption v1';

/**
 * Fetches the secret files. The key pair is made here and lives in memory: the controller gives the files again, after
 * an answer that got lost, to nobody but its owner. curl makes the request, as for reports, with the same file syntax.
 */
export const REDEMPTION_SCRIPT = `#!/usr/bin/env python3
"""Fetches this server's secret files from the controller, with a key pair that exists only here."""
import base64
import json
import os
import shutil
import subprocess
import sys
import time

HOME = "${AGENT_MANAGER_FOLDER}"
CONFIG = "${REDEMPTION_FILE}"
SUBJECT = "${REDEMPTION_SUBJECT_FILE}"
# On a file system in memory.
KEYS = "/run/agent-manager-key"
KEY = KEYS + "/key.pem"
ANSWER = KEYS + "/answer.json"
REQUIRED = {"${OVERRIDE_FILE}", "${TLS_KEY_FILE}"}
EXPECTED = REQUIRED | {"${CALLBACK_FILE}"}
# Seconds. The controller may be restarting, or its address not be reachable yet.
PATIENCE = 420
# A refusal does not pass by itself, as a rule.
REFUSALS = 3


def openssl(*words, given=None):
    return subprocess.run(["openssl", *words], input=given, stdout=subprocess.PIPE, check=True).stdout


def text64(data):
    return base64.b64encode(data).decode("ascii")


def public_key():
    os.makedirs(KEYS, mode=0o700, exist_ok=True)
    if not os.path.exists(KEY):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", KEY + ".new")
        os.replace(KEY + ".new", KEY)
    return text64(openssl("pkey", "-in", KEY, "-pubout", "-outform", "DER"))


def signed(subject, key):
    sent_at = int(time.time() * 1000)
    lines = ["${REDEMPTION_DOMAIN}", subject["provisioningId"], str(subject["attempt"]), key, str(sent_at)]
    signature = openssl("dgst", "-sha256", "-sign", KEY, given="\\n".join(lines).encode("ascii"))
    body = {"attempt": subject["attempt"], "publicKey": key, "sentAt": sent_at, "signature": text64(signature)}
    return json.dumps(body).encode("ascii")


def ask(body):
    """The status of the answer, "000" where there is none, and what curl says of it."""
    command = ["curl", "--config", CONFIG, "--silent", "--show-error", "--max-time", "60", "--max-filesize", "16777216",
               "--data-binary", "@-", "--output", ANSWER, "--write-out", "%{http_code}"]
    done = subprocess.run(command, input=body, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = done.stderr.decode("utf-8", "replace").strip()
    return "000" if done.returncode else done.stdout.decode("ascii"), said


def answered():
    """The files of the answer. Whatever else it holds is refused: it is written by root."""
    with open(ANSWER, encoding="utf-8") as file:
        files = json.load(file)["files"]
    paths = [file["path"] for file in files]
    if len(set(paths)) < len(paths) or not REQUIRED <= set(paths) <= EXPECTED:
        raise ValueError("unexpected files")
    if any(file["permissions"] != "0600" or not isinstance(file["content"], str) for file in files):
        raise ValueError("unexpected permissions or content")
    return {file["path"]: file["content"] for file in files}


def write(path, content):
    """Whole or not at all, and at no moment readable by others."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    part = path + ".new"
    if os.path.lexists(part):
        os.unlink(part)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def attempt(subject, key):
    """Why there are no files yet, or None when they are here."""
    status, said = ask(signed(subject, key))
    if status == "000":
        return said or "curl failed"
    if status == "401":
        return "error 401: the controller refuses this server: somebody else has fetched them, or the token is dead"
    if status != "200":
        return "error %s: the controller cannot answer now" % status
    try:
        files = answered()
    except (ValueError, KeyError, TypeError) as problem:
        return "error: the controller's answer is not what it should be: %s" % type(problem).__name__
    for path, content in files.items():
        write(path, content)
    return None


def main():
    os.umask(0o077)
    with open(SUBJECT, encoding="utf-8") as file:
        subject = json.load(file)
    key = public_key()
    end = time.monotonic() + PATIENCE
    pause, refusals = 1, 0
    while True:
        problem = attempt(subject, key)
        if problem is None:
            break
        print(problem, flush=True)
        refusals += problem.startswith("error 401")
        if refusals >= REFUSALS or time.monotonic() + pause > end:
            sys.exit(1)
        time.sleep(pause)
        pause = min(pause * 2, 15)
    # The token first: without its key it would be refused.
    os.unlink(CONFIG)
    os.unlink(SUBJECT)
    shutil.rmtree(KEYS)


main()
`;
