#!/usr/bin/env python3
"""The judge finds what is wrong with a ledger, and nothing in a good one."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from judge import Judge  # noqa: E402
from ledger import Ledger  # noqa: E402

GOOD = [
    ("start", 0), ("ready", 0, 0.1),
    ("ask", "p-1", [["a", 0], ["b", 0]]), ("lost_answer", "p-1"),
    ("kill", 1), ("start", 1), ("ready", 1, 0.2),
    ("ack", "p-1", ["a", "b"]),
    ("grant", "w", 0, [["a", 10, 1], ["b", 11, 1]]),
    ("tell", "w", [["a", 10, "completed", 0], ["b", 11, "retry", 0]]), ("ask", "w", [["a.child", 0]]),
    ("told", "w", [["a", 10, "recorded", ["a.child"]], ["b", 11, "already_recorded", []]]),
    ("grant", "w", 0, [["b", 12, 2], ["a.child", 13, 1]]),
    ("tell", "w", [["b", 12, "failed", 0], ["a.child", 13, "completed", 0]]),
    ("told", "w", [["b", 12, "recorded", []], ["a.child", 13, "recorded", []]]),
    ("seen", [["a", "completed"], ["b", "failed"], ["a.child", "completed"]]),
]


class JudgeTest(unittest.TestCase):
    def judge(self, events):
        with tempfile.TemporaryDirectory() as folder:
            ledger = Ledger(os.path.join(folder, "ledger"))
            for event in events:
                ledger.write(*event)
            ledger.close()
            return Judge(ledger.path).read()

    def found(self, events):
        judge = self.judge(events)
        return {name for name, items in {**judge.problems, **judge.final()}.items()
                if items and name not in ("ended", "unresolved")}

    def test_a_good_ledger_has_no_fault(self):
        judge = self.judge(GOOD)
        self.assertEqual(set(), self.found(GOOD))
        self.assertEqual({"completed": 2, "failed": 1}, judge.final()["ended"])
        self.assertEqual((3, 1, 1), (judge.acknowledged, judge.kills, judge.unknown_calls))

    def test_an_acknowledged_task_that_is_not_listed_is_lost(self):
        self.assertEqual({"lost"}, self.found([*GOOD[:-1], ("seen", [["a", "completed"], ["b", "failed"]])]))

    def test_an_acknowledged_task_that_has_not_ended_is_lost(self):
        self.assertEqual({"lost"}, self.found([*GOOD, ("seen", [["b", "queued"]])]))

    def test_an_acknowledged_task_that_cannot_be_read_is_missing(self):
        self.assertEqual({"missing", "lost"}, self.found([*GOOD, ("seen", [["a", "missing"]])]))

    def test_an_outcome_that_is_stored_otherwise_is_found(self):
        self.assertEqual({"contradicted"}, self.found([*GOOD, ("seen", [["b", "completed"]])]))

    def test_an_unacknowledged_task_may_be_missing(self):
        self.assertEqual(set(), self.found([*GOOD, ("ask", "p-2", [["c", 0]]), ("seen", [["c", "missing"]])]))

    def test_two_recorded_ends_of_a_task_are_found(self):
        self.assertIn("double outcomes", self.found([
            *GOOD, ("grant", "v", 0, [["a", 14, 2]]), ("tell", "v", [["a", 14, "completed", 0]]),
            ("told", "v", [["a", 14, "recorded", []]])]))

    def test_a_grant_after_the_end_is_found(self):
        self.assertEqual({"run after the end"}, self.found([*GOOD, ("grant", "v", 0, [["a", 14, 2]])]))

    def test_a_start_before_its_time_is_found(self):
        self.assertEqual({"early"}, self.found([("ask", "p", [["c", 9e9]]), ("grant", "w", 0, [["c", 1, 1]])]))

    def test_a_retry_before_its_time_is_found(self):
        self.assertEqual({"early"}, self.found([
            ("ask", "p", [["c", 0]]), ("grant", "w", 0, [["c", 1, 1]]), ("tell", "w", [["c", 1, "retry", 9e9]]),
            ("told", "w", [["c", 1, "recorded", []]]), ("grant", "w", 0, [["c", 2, 2]])]))

    def test_a_fence_below_one_that_was_known_is_found(self):
        asked_later = 9e9
        self.assertEqual({"fences not rising"}, self.found([
            *GOOD, ("start", 2), ("ask", "p", [["c", 0]]), ("grant", "w", asked_later, [["c", 5, 1]])]))

    def test_answers_may_overtake_each_other(self):
        self.assertEqual(0, self.judge([
            ("ask", "p", [["c", 0]]), ("grant", "w", 1, [["c", 9, 1]]), ("grant", "v", 1, [["c", 8, 1]])]).faults())

    def test_one_fence_for_two_tasks_is_found(self):
        self.assertEqual({"fences not rising"}, self.found([
            ("ask", "p", [["c", 0], ["d", 0]]), ("grant", "w", 0, [["c", 9, 1]]), ("grant", "v", 0, [["d", 9, 1]])]))

    def test_the_same_lease_twice_is_one_execution(self):
        lease = ("grant", "w", 0, [["c", 9, 1]])
        judge = self.judge([("ask", "p", [["c", 0]]), lease, lease])
        self.assertEqual((1, 0), (judge.grants, judge.faults()))

    def test_a_task_that_nobody_submitted_is_found(self):
        self.assertEqual({"never submitted"}, self.found([("grant", "w", 0, [["x", 9, 1]])]))


if __name__ == "__main__":
    unittest.main()
