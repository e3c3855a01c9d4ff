#!/usr/bin/env python3
"""Kills a busy server with SIGKILL again and again, restarts it on the same directory, and counts what was lost.

Exit status: 0 nothing lost and no rule broken, 1 otherwise, 2 usage."""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time

from judge import Judge
from ledger import Ledger
from load import Load
from server import Connection, Server

HERE = os.path.dirname(os.path.abspath(__file__))


def options():
    parse = argparse.ArgumentParser(prog="crash-demo", description=__doc__.split("\n\n")[0],
                                    epilog="Exit status: 0 nothing lost and no rule broken, 1 otherwise, 2 usage.")
    parse.add_argument("--cycles", type=int, default=30, help="kills (default: %(default)s)")
    parse.add_argument("--tasks-per-cycle", type=int, default=1000,
                       help="tasks acknowledged between two kills, on average (default: %(default)s)")
    parse.add_argument("--seed", type=int, help="of the kills and the load; by chance if not given")
    parse.add_argument("--durability", choices=["disk", "process", "memory"], default="disk",
                       help="of the server (default: %(default)s)")
    parse.add_argument("--stop", choices=["kill", "term"], default="kill",
                       help="term: ask with SIGTERM instead; it must drain and exit with 0 (default: %(default)s)")
    parse.add_argument("--forget", action="store_true",
                       help="prove that a loss is found: the third start is given the data of the first kill")
    parse.add_argument("--binary", default=os.path.join(HERE, "../../build/millrace"), help="default: build/millrace")
    parse.add_argument("--producers", type=int, default=16)
    parse.add_argument("--workers", type=int, default=32)
    parse.add_argument("--drain-seconds", type=float, default=60, help="patience after the last start")
    parse.add_argument("--seconds-max", type=float, default=0,
                       help="begin no further cycle after so long; 0 = no limit")
    parse.add_argument("--folder", default=None, help="where data and ledger go; a temporary folder by default")
    parse.add_argument("--keep", action="store_true", help="leave data and ledger there; kept anyway after a loss")
    chosen = parse.parse_args()
    if chosen.cycles < 1 or chosen.tasks_per_cycle < 1:
        parse.error("--cycles and --tasks-per-cycle are at least 1")
    chosen.binary = os.path.abspath(chosen.binary)
    if not os.access(chosen.binary, os.X_OK):
        parse.error(f"no program at {chosen.binary}; build it, or name it with --binary")
    return chosen


class Demo:
    def __init__(self, chosen, folder):
        self._chosen = chosen
        self._seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 32)
        self._chance = random.Random(self._seed)
        self.ledger = Ledger(os.path.join(folder, "ledger.jsonl"))
        self.judge = Judge(self.ledger.path)
        self._server = Server(chosen.binary, folder, "--workers", "0", "--durability", chosen.durability,
                              "--ballast-bytes", "0", "--log-level", "warning",
                              "--disk-soft-bytes", "64MiB", "--disk-hard-bytes", "32MiB")
        self._load = Load(self._server.port, self.ledger, self._seed, chosen.producers, chosen.workers,
                          4 * chosen.tasks_per_cycle)
        self._begun = time.monotonic()
        self.cycles = self.double_starts = 0
        self.drained = False

    def run(self):
        chosen = self._chosen
        print(f"seed {self._seed}: {chosen.producers} producers, {chosen.workers} workers, "
              f"durability {chosen.durability}")
        print("cycle    ready   acknowledged     ended   backlog  unknown   again  early  double  missing     left", flush=True)
        self._start(0)
        self._load.start()
        for self.cycles in range(1, chosen.cycles + 1):
            self._wait_for_the_moment()
            self._end_server()
            self.ledger.write("kill", self.cycles)
            if chosen.forget:
                self._forget()
            elif chosen.stop == "kill" and self._chance.random() < 0.05:
                self._kill_while_starting()
            newest = list(self._load.recent)
            ready = self._start(self.cycles)
            self._look_for(newest)
            self._line(ready)
            if chosen.seconds_max and time.monotonic() - self._begun > chosen.seconds_max:
                break
        self._drain()
        self._server.terminate()
        self.ledger.close()
        self.judge.read()

    def stop(self):
        if self._server.process and self._server.process.poll() is None:
            self._server.kill()

    def _start(self, cycle):
        self._load.want(round(self._chosen.tasks_per_cycle * self._chance.uniform(0.5, 1.5)))
        self.ledger.write("start", cycle)
        self._server.start()
        seconds = self._server.wait_ready()
        self.ledger.write("ready", cycle, seconds)
        return seconds

    def _end_server(self):
        if self._chosen.stop == "kill":
            self._server.kill()
            return
        status = self._server.terminate()
        if status != 0:
            raise RuntimeError(f"SIGTERM: exit status {status}; see {self._server.log}")

    def _forget(self):
        data, copy = self._server.data, self._server.data + ".old"
        if self.cycles == 1:
            shutil.copytree(data, copy)
        elif self.cycles == 2:
            shutil.rmtree(data)
            os.rename(copy, data)

    def _kill_while_starting(self):
        self.ledger.write("start", self.cycles)
        self._server.start()
        time.sleep(self._chance.uniform(0, 0.08))
        self._server.kill()
        self.double_starts += 1

    def _wait_for_the_moment(self):
        """Some acknowledgements, then a moment by chance; a server that stands still is killed as well."""
        give_up = time.monotonic() + 10
        while not self._load.enough.wait(0.2) and time.monotonic() < give_up:
            self._check_load()
        self._check_load()
        time.sleep(self._chance.uniform(0, 0.03))

    def _check_load(self):
        if self._load.failure:
            raise RuntimeError(f"a client was answered wrongly: {self._load.failure}")
        if self._server.process.poll() is not None:
            raise RuntimeError(f"the server ended by itself with {self._server.process.returncode}; "
                               f"see {self._server.log}")

    def _look_for(self, tasks):
        """The tasks acknowledged last are the first that a crash would take."""
        connection, seen = Connection(self._server.port), []
        for task in tasks[-8:]:
            status, answer = connection.call("GET", f"/api/v1/tasks/{task}")
            seen.append([task, answer["status"] if status == 200 else "missing"])
        connection.close()
        self.ledger.write("seen", seen)

    def _line(self, ready):
        self.ledger.flush()
        judge = self.judge.read()
        found = {name: len(items) for name, items in judge.problems.items()}
        double = found["double outcomes"] + found["run after the end"]
        print(f"{self.cycles:5}  {ready * 1000:4.0f} ms  {judge.acknowledged:13,}  {self._load.ended:8,}"
              f"  {self._load.backlog():8,}  {judge.unknown_calls:7,}  {judge.executed_again():6,}"
              f"  {found['early']:5}  {double:6}  {found['missing']:7}  {self._left():>7}",
              flush=True)

    def _left(self):
        """The time that the other cycles will take, at the pace so far."""
        minutes, seconds = divmod(round((time.monotonic() - self._begun) / self.cycles
                                        * (self._chosen.cycles - self.cycles)), 60)
        return f"{minutes}:{seconds:02}"

    def _drain(self):
        print("drain: no new tasks, no more kills …", flush=True)
        self._load.producing = False
        deadline = time.monotonic() + self._chosen.drain_seconds
        while self._load.backlog() and time.monotonic() < deadline:
            self._check_load()
            time.sleep(0.05)
        self.drained = not self._load.backlog()
        self._load.stop()
        self._read_everything()

    def _read_everything(self):
        connection, cursor = Connection(self._server.port, 60), ""
        while cursor is not None:
            status, page = connection.call("GET", "/api/v1/tasks?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
            if status != 200:
                raise RuntimeError(f"reading everything back: {status} {page}")
            self.ledger.write("seen", [[task["task_id"], task["status"]] for task in page["tasks"]])
            cursor = page["next"]
        connection.close()

    def report(self):
        """Prints the table; whether all is well."""
        judge, end = self.judge, self.judge.final()
        boots = sorted(judge.boots)
        rank = lambda share: boots[min(len(boots) - 1, int(share * len(boots)))]  # noqa: E731
        seconds = time.monotonic() - self._begun
        rows = [
            ("ended with " + ("SIGKILL" if self._chosen.stop == "kill" else "SIGTERM, drained"),
             f"{judge.kills:,} and {self.double_starts:,} while starting"),
            ("tasks attempted", f"{judge.attempted():,}"),
            ("tasks acknowledged", f"{judge.acknowledged:,}"),
            ("  completed / failed on purpose", f"{end['ended']['completed']:,} / {end['ended']['failed']:,}"),
            ("answers that never came",
             f"{judge.unknown_calls:,}, repeated until definite; unresolved {end['unresolved']:,}"),
            ("attempts granted / recorded", f"{judge.grants:,} / {judge.recorded:,}"),
            ("executed again (allowed)", f"{judge.executed_again():,}"),
            ("ready after a start", f"p50 {rank(.5):.3f} s, p99 {rank(.99):.3f} s, max {boots[-1]:.3f} s"),
            ("earliest start, clients' clock", f"{judge.earliest * 1000:.0f} ms before its time"),
            ("duration", f"{seconds:.0f} s"),
            ("LOST", f"{len(end['lost']):,}"),
            ("told and stored disagree", f"{len(end['contradicted']):,}"),
            *((name, f"{len(found):,}") for name, found in judge.problems.items()),
        ]
        print()
        for name, value in rows:
            print(f"  {name:32} {value}")
        for name, found in [("lost", end["lost"]), ("disagree", end["contradicted"]), *judge.problems.items()]:
            for item in found[:5]:
                print(f"    {name}: {item}")
        well = not end["lost"] and not end["contradicted"] and not judge.faults() and self.drained
        if not self.drained:
            print(f"  the drain did not end within {self._chosen.drain_seconds:g} s")
        if well:
            rate = min(100, 300 / judge.kills)
            print(f"\nnothing lost. {judge.kills} clean ends say: fewer than {rate:.1f} % of them lose something "
                  "(95 % sure).")
        else:
            print("\nFAILED")
        return well


def main():
    chosen = options()
    folder = os.path.abspath(chosen.folder) if chosen.folder else tempfile.mkdtemp(prefix="millrace-crash-")
    os.makedirs(folder, exist_ok=True)
    demo, well = Demo(chosen, folder), False
    try:
        demo.run()
        well = demo.report()
    except RuntimeError as error:
        print(f"FAILED: {error}")
    finally:
        demo.stop()
        if chosen.keep or not (well or chosen.forget):
            print(f"ledger, data and log are in {folder}")
        else:
            shutil.rmtree(folder)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
