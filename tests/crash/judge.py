"""Judges a ledger. Pure: it reads events and asks nobody; each rule holds whatever was lost or repeated between."""

from bisect import bisect

from ledger import read_events

FINAL = ("completed", "failed")
# Seconds: a request is dated with the commit group it joined, which may have opened before the request left.
EARLY_TOLERANCE = 0.2


class Fate:
    """What the ledger knows of one task."""

    __slots__ = ("acknowledged", "not_before", "fences", "recorded", "final_fence", "final", "seen")

    def __init__(self, due):
        self.acknowledged = False
        self.not_before = due
        self.fences = []
        self.recorded = 0
        self.final_fence = 0
        self.final = None
        self.seen = None


class Judge:
    def __init__(self, path):
        self._path = path
        self._offset = 0
        self._tasks = {}
        self._fence_owner = {}
        self._tells = {}
        self._fence_times, self._fence_maxima = [0], [0]  # the highest fence that had been received, over time
        self.earliest = 0.0
        self.unknown_calls = self.refused = self.acknowledged = self.grants = self.recorded = 0
        self.kills = 0
        self.boots = []
        self.problems = {"double outcomes": [], "run after the end": [], "early": [], "fences not rising": [],
                         "never submitted": [], "missing": []}

    def read(self):
        """Takes in what was appended since the last call."""
        for self._offset, event in read_events(self._path, self._offset):
            getattr(self, "_" + event[0])(*event[1:])
        return self

    def faults(self):
        return sum(len(found) for found in self.problems.values())

    def _start(self, _time, _cycle):
        pass

    def _ready(self, _time, _cycle, seconds):
        self.boots.append(seconds)

    def _kill(self, _time, _cycle):
        self.kills += 1

    def _ask(self, _time, _call, items):
        for task, due in items:
            self._tasks.setdefault(task, Fate(due))

    def _ack(self, _time, _call, tasks):
        for task in tasks:
            self._acknowledge(task)

    def _acknowledge(self, task):
        fate = self._tasks.setdefault(task, Fate(0))
        if not fate.acknowledged:
            fate.acknowledged = True
            self.acknowledged += 1

    def _lost_answer(self, _time, _call):
        self.unknown_calls += 1

    def _refused(self, _time, _call, _code, tasks):
        self.refused += len(tasks)

    # Answers may overtake each other. But what was received before a call left is older than what that call is given.
    def _grant(self, time, _worker, asked, leases):
        received = self._fence_maxima[bisect(self._fence_times, asked) - 1]
        for task, fence, attempt in leases:
            fate = self._tasks.get(task)
            if fate is None:
                self.problems["never submitted"].append(task)
                continue
            if fence in fate.fences:
                continue  # the same lease again, to the same worker: its first answer was lost
            self.grants += 1
            if fate.not_before:
                self.earliest = max(self.earliest, fate.not_before - time)
            if time < fate.not_before - EARLY_TOLERANCE:
                self.problems["early"].append(f"{task} attempt {attempt} by {fate.not_before - time:.3f} s")
            if fence <= received or self._fence_owner.setdefault(fence, task) != task:
                self.problems["fences not rising"].append(f"{task} {fence}")
            if fate.final_fence and fence > fate.final_fence:
                self.problems["run after the end"].append(f"{task} {fence}")
            fate.fences.append(fence)
            if fence > self._fence_maxima[-1]:
                self._fence_times.append(max(time, self._fence_times[-1]))
                self._fence_maxima.append(fence)

    def _tell(self, _time, _worker, ends):
        for task, fence, outcome, not_before in ends:
            self._tells[fence] = (outcome, not_before)

    def _told(self, _time, _worker, answers):
        for task, fence, result, children in answers:
            outcome, not_before = self._tells.pop(fence)
            if result not in ("recorded", "already_recorded"):
                continue
            fate = self._tasks[task]
            self.recorded += 1
            fate.recorded += 1
            fate.not_before = not_before
            self._ack(_time, _worker, children)
            if outcome not in FINAL:
                continue
            if fate.final_fence:
                self.problems["double outcomes"].append(f"{task} {fate.final_fence} {fence}")
            if fate.fences and max(fate.fences) > fence:
                self.problems["run after the end"].append(f"{task} {fence}")
            fate.final_fence, fate.final = fence, outcome

    def _seen(self, _time, items):
        for task, status in items:
            fate = self._tasks.get(task)
            if fate is None:
                self.problems["never submitted"].append(task)
                continue
            fate.seen = status
            if status == "missing" and fate.acknowledged:
                self.problems["missing"].append(task)

    def executed_again(self):
        """Attempts whose end nobody recorded: at-least-once allows them, and they are worth knowing."""
        return self.grants - self.recorded

    def attempted(self):
        return len(self._tasks)

    def final(self):
        """Acknowledged tasks by their end; call after the drain and the reading back of everything."""
        lost, contradicted, ended = [], [], {"completed": 0, "failed": 0}
        for task, fate in self._tasks.items():
            if not fate.acknowledged:
                continue
            if fate.seen not in FINAL:
                lost.append(f"{task} {fate.seen or 'not listed'}")
            elif fate.final != fate.seen:
                contradicted.append(f"{task} told {fate.final}, stored {fate.seen}")
            else:
                ended[fate.seen] += 1
        unresolved = sum(not fate.acknowledged and not fate.seen for fate in self._tasks.values())
        return {"lost": lost, "contradicted": contradicted, "ended": ended, "unresolved": unresolved}
