#!/usr/bin/env python3
"""Tests of check.py: python3 conformance/autobahn/test_check.py"""

import sys
import unittest

sys.dont_write_bytecode = True

from check import differences

EXPECTED = {
    "cases": {"quick": {"1": 2}},
    "exceptions": {"1.2": {"behavior": "INFORMATIONAL", "reason": "for this test"}},
}


def result(behavior, close="OK"):
    return {"behavior": behavior, "behaviorClose": close, "remoteCloseCode": 1000}


def check(results, partial=False):
    return list(differences(results, EXPECTED, "quick", partial))


class Differences(unittest.TestCase):
    def test_what_is_expected_passes(self):
        self.assertEqual(check({"1.1": result("OK"), "1.2": result("INFORMATIONAL")}), [])

    def test_non_strict_is_a_failure(self):
        found = check({"1.1": result("NON-STRICT"), "1.2": result("INFORMATIONAL")})
        self.assertEqual(found, ["1.1: expected OK, got NON-STRICT"])

    def test_better_than_expected_is_a_difference_too(self):
        self.assertEqual(check({"1.2": result("OK")}, partial=True), ["1.2: expected INFORMATIONAL, got OK"])

    def test_an_unclean_close_is_a_failure(self):
        found = check({"1.1": result("OK", close="UNCLEAN")}, partial=True)
        self.assertEqual(found, ["1.1: expected a clean close, got UNCLEAN (code 1000)"])

    def test_a_case_that_was_not_run_is_a_failure(self):
        self.assertEqual(check({"1.1": result("OK")}), ["group 1: expected 2 cases, got 1"])


if __name__ == "__main__":
    unittest.main()
