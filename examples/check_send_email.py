"""Runs the send_email example as its reader would: a server, a worker and a producer, in three processes."""

import pathlib
import signal
import subprocess
import sys
import tempfile
import time

EXPECTED = [
    "receipt to-ada@example.com-attempt-1",
    "receipt to-busy@example.com-attempt-2",
    "Permanent: the address is banned",
    "invalid_argument: ",
]


def wait_for(path: pathlib.Path, process: subprocess.Popen) -> None:
    for _ in range(400):
        if path.exists():
            return
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}")
        time.sleep(0.05)
    sys.exit(f"no socket at {path}")


def main(server_program: str, worker_program: str, producer_program: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        socket = pathlib.Path(folder, "s.sock")
        url = f"unix:{socket}"
        server = subprocess.Popen(
            [server_program, "serve", "--listen", url, "--broker", f"file:{folder}/data", "--workers", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        worker = None
        try:
            wait_for(socket, server)
            worker = subprocess.Popen([worker_program, url])
            said = subprocess.run([producer_program, url], capture_output=True, text=True, timeout=40)
            print(said.stdout, said.stderr, sep="")
            worker.send_signal(signal.SIGTERM)
            stopped = worker.wait(timeout=40)
            lines = said.stdout.splitlines()
            good = len(lines) == len(EXPECTED) and all(map(str.startswith, lines, EXPECTED))
            if not good or said.returncode != 0 or stopped != 0:
                print(f"expected {EXPECTED}; producer ended with {said.returncode}, worker with {stopped}")
                return 1
            return 0
        finally:
            for process in (worker, server):
                if process is not None and process.poll() is None:
                    process.terminate()
                    try:
                        process.wait(timeout=20)
                    except subprocess.TimeoutExpired:
                        process.kill()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
