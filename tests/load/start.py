#!/usr/bin/env python3
"""From the start of a function to its first poll, and its size, beside a hello-world's: one run, one machine.

    cargo build --release -p list-shares && cargo build --release -p gatehouse --example hello
    tests/load/start.py target/release/examples/hello target/release/list-shares

It plays Lambda's runtime API and a DynamoDB that has nothing, both on loopback, so the time is the function's own:
loading, making its clients, one read of the keyring. On AWS the TLS handshake comes on top, during init.
"""

import os
import statistics
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RUNS = 40
polled = threading.Event()
polled_at = 0.0


class Runtime(BaseHTTPRequestHandler):
    """`/invocation/next` is the first poll; it never answers, as a Lambda without work does not."""

    def do_GET(self):
        global polled_at
        polled_at = time.perf_counter()
        polled.set()
        time.sleep(3600)

    def log_message(self, *_):
        pass


class Table(BaseHTTPRequestHandler):
    """Every item is missing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


def start(binary, environment):
    polled.clear()
    began = time.perf_counter()
    process = subprocess.Popen([binary], env=environment, stdout=subprocess.DEVNULL)
    arrived = polled.wait(10)
    process.kill()
    process.wait()
    if not arrived:
        sys.exit(f"{binary} has not polled within 10 s")
    return (polled_at - began) * 1000


def main():
    environment = {
        "AWS_LAMBDA_RUNTIME_API": serve(Runtime),
        "AWS_ENDPOINT_URL": f"http://{serve(Table)}",
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_LOG_GROUP_NAME": "measured",
        "AWS_LAMBDA_LOG_STREAM_NAME": "measured",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "GATEHOUSE_TABLE": "measured",
    }
    times = {binary: [] for binary in sys.argv[1:]}
    for run in range(RUNS + 3):
        for binary in times:  # by turns, so that whatever else the machine does meets all alike
            took = start(binary, environment)
            if run >= 3:
                times[binary].append(took)
    for binary, took in times.items():
        size = os.path.getsize(binary) / 1e6
        print(f"{os.path.basename(binary):16} median {statistics.median(took):5.1f} ms  least {min(took):5.1f} ms  {size:.2f} MB")


if __name__ == "__main__":
    main()
