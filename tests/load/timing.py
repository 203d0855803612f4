#!/usr/bin/env python3
"""Whether the time of an answer tells if an address is known: sign-in, password reset, registration.

    cargo run -- --fresh --data-dir /tmp/gatehouse-timing --port 9000 --demo
    tests/load/timing.py http://127.0.0.1:9000

Known and unknown addresses are asked for by turns; between two turns the clock of the stack is moved on, so that the
waits against guessing do not come in between. That the work is the same is held by a test that counts calls; this shows
that the times are.
"""

import json
import statistics
import sys
import time
import urllib.error
import urllib.request

RUNS = 60
KNOWN, INVITED, UNKNOWN = "mara@harbour-sons.example", "tom@harbour-sons.example", "nobody@harbour-sons.example"


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(request) as answer:
            status = answer.status
            answer.read()
    except urllib.error.HTTPError as error:
        status = error.code
        error.read()
    return status, (time.perf_counter() - began) * 1000


def main():
    base = sys.argv[1].rstrip("/")
    cases = {
        "sign-in": ("/v1/sessions", lambda email: {"email": email, "password": "not the password at all"}),
        "reset": ("/v1/password-resets", lambda email: {"email": email}),
        "registration": ("/v1/registrations", lambda email: {"email": email, "name": "R", "company": "C"}),
    }
    for name, (path, body) in cases.items():
        times = {KNOWN: [], INVITED: [], UNKNOWN: []}
        for run in range(RUNS):
            for email, took in times.items():
                status, ms = post(base + path, body(email))
                if status not in (202, 401):
                    sys.exit(f"{name}: {status}")
                if run >= 5:
                    took.append(ms)
                # A reset, a registration and a failure write mails; those of one turn shall not meet the next.
                time.sleep(0.06)
            post(base + "/_local/clock", {"advance_seconds": 25 * 3600})
        for label, email in (("known", KNOWN), ("invited", INVITED), ("unknown", UNKNOWN)):
            took = sorted(times[email])
            quartiles = statistics.quantiles(took, n=4)
            print(f"{name:13} {label:8} quartiles {quartiles[0]:6.1f} {quartiles[1]:6.1f} {quartiles[2]:6.1f} ms")


if __name__ == "__main__":
    main()
