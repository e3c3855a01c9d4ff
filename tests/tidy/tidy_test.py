"""Each rule accepts a good tree and refuses a bad one."""

import unittest

from text_rules import GLOSSARY_WORDS
from tidy import RULES
from tree import Tree, without_comments_and_strings

GLOSSARY = {"docs/glossary.md": "".join(f"**{word}** means that.\n" for word in GLOSSARY_WORDS)}


def check(rule, path, text, **more):
    files = dict(GLOSSARY)
    files.update(more.get("also", {}))
    files[path] = text
    return list(RULES[rule](Tree(files)))


class RulesTest(unittest.TestCase):
    def refuses(self, rule, path, text, **more):
        self.assertTrue(check(rule, path, text, **more), f"{rule} accepted {path}: {text}")

    def accepts(self, rule, path, text, **more):
        self.assertEqual([], check(rule, path, text, **more))

    def test_an_include_outside_the_table_is_refused(self):
        for path, line in {
            "src/domain/a.cpp": '#include "storage/store.hpp"',
            "src/domain/b.hpp": '#include "base/clock.hpp"',
            "src/domain/c.hpp": "#include <boost/asio/awaitable.hpp>",
            "src/engine/a.cpp": '#include "server/routes.hpp"',
            "src/engine/b.cpp": "#include <sys/socket.h>",
            "src/engine/c.cpp": "#include <rocksdb/db.h>",
            "src/backends/redis/a.cpp": '#include "backends/rabbitmq/pipe.hpp"',
            "src/broker/a.hpp": "#include <boost/asio/ip/tcp.hpp>",
            "src/server/a.cpp": '#include "engine/engine.hpp"',
            "src/tasks/a.cpp": '#include "engine/engine.hpp"',
            "src/new_folder/a.cpp": '#include "base/clock.hpp"',
            "src/base/a.cpp": '#include "clock.hpp"',
            "include/millrace/a.hpp": "#include <boost/json.hpp>",
            "include/millrace/b.hpp": '#include "base/clock.hpp"',
            "examples/mail/main.cpp": '#include "engine/engine.hpp"',
        }.items():
            self.refuses("includes", path, line + "\n")

    def test_an_include_inside_the_table_is_accepted(self):
        for path, line in {
            "src/domain/a.cpp": '#include "domain/states.hpp"',
            "src/domain/b.cpp": "#include <millrace/task.hpp>",
            "src/engine/a.cpp": '#include "storage/store.hpp"',
            "src/storage/a.cpp": "#include <rocksdb/db.h>",
            "src/broker/a.hpp": "#include <boost/asio/awaitable.hpp>",
            "src/backends/redis/a.cpp": '#include "backends/redis/script.hpp"',
            "src/engine/a_test.cpp": '#include "testing/bench.hpp"',
            "include/millrace/asio.hpp": "#include <boost/asio/awaitable.hpp>",
            "include/millrace/a.hpp": "#include <string>",
            "apps/millrace/main.cpp": '#include "engine/engine.hpp"',
        }.items():
            self.accepts("includes", path, line + "\n")

    def test_a_link_line_against_the_table_is_refused(self):
        self.refuses("link_lines", "src/domain/CMakeLists.txt", "millrace_library(domain DEPENDS base\n  storage)")
        self.accepts("link_lines", "src/engine/CMakeLists.txt", "millrace_library(engine DEPENDS domain TEST_DEPENDS testing)")

    def test_beast_in_many_files_is_refused(self):
        files = {f"src/net/f{n}.cpp": "#include <boost/beast/http.hpp>\n" for n in range(5)}
        self.refuses("beast_in_few_files", "src/net/f.hpp", "", also=files)
        self.accepts("beast_in_few_files", "src/net/f.cpp", "#include <boost/beast/http.hpp>\n")

    def test_braces_in_a_co_await_expression_are_refused(self):
        for statement in (
            'co_await f({.queue = "x"});',
            "co_await f(Options{});",
            "auto r = co_await client.lease(LineSet{a}, 3);",
            "f(Options{.a = 1}, co_await g());",
            "f(co_await g(), {1, 2});",
            "auto r = Reply{co_await g()};",
            "co_return Pair{1, co_await g()};",
            "if (Point{1} == co_await g()) {}",
            "co_await spawn([] { return 1; });",
        ):
            self.refuses("braces_in_co_await", "src/net/a.cpp", "awaitable<void> f() { " + statement + " }\n")

    def test_braces_around_a_co_await_expression_are_accepted(self):
        for statement in (
            "if (auto r = co_await f(); !r) { return; }",
            "for (auto& x : co_await f()) { use(x); }",
            "while (co_await f()) { step(); }",
            "Options o{.a = 1}; co_await f(o);",
            "{ auto lock = take(); } co_await f();",
            'co_await f("{}");  // braces {}',
            "auto g = [](int x) -> awaitable<void> { co_await f(x); };",
        ):
            self.accepts("braces_in_co_await", "src/net/a.cpp", "awaitable<void> f() { " + statement + " }\n")

    def test_a_header_without_pragma_on_its_first_line_is_refused(self):
        self.refuses("header_begins_with_pragma", "src/base/a.hpp", "// story\n#pragma once\n")
        self.accepts("header_begins_with_pragma", "src/base/a.hpp", "#pragma once\n")

    def test_a_file_name_of_another_kind_is_refused(self):
        for path in ("src/base/Clock.hpp", "src/base/clock.cc", "src/base/clock-x.cpp", "src/base/clock.h"):
            self.refuses("file_names", path, "")
        self.accepts("file_names", "src/base/clock_v2_test.cpp", "")

    def test_a_folder_named_after_nothing_is_refused(self):
        self.refuses("folder_names", "src/util/a.hpp", "")
        self.refuses("folder_names", "tests/common/x/a.hpp", "")
        self.accepts("folder_names", "tests/support/a.hpp", "")

    def test_a_file_past_400_lines_is_refused_and_the_ratchet_only_tightens(self):
        def ratchet(line):
            return {"tests/tidy/long_files.txt": line}
        self.refuses("file_lengths", "src/base/a.cpp", "\n" * 401)
        self.accepts("file_lengths", "src/base/a.cpp", "\n" * 400)
        self.accepts("file_lengths", "src/base/a.cpp", "\n")
        self.accepts("file_lengths", "src/base/a.cpp", "\n" * 450, also=ratchet("450 src/base/a.cpp\n"))
        self.refuses("file_lengths", "src/base/a.cpp", "\n" * 451, also=ratchet("450 src/base/a.cpp\n"))
        self.accepts("file_lengths", "src/base/a.cpp", "\n" * 440, also=ratchet("450 src/base/a.cpp\n"))
        self.refuses("file_lengths", "src/base/a.cpp", "\n" * 420, also=ratchet("450 src/base/a.cpp\n"))
        self.refuses("file_lengths", "src/base/a.cpp", "\n" * 400, also=ratchet("450 src/base/a.cpp\n"))
        self.refuses("file_lengths", "src/base/b.cpp", "\n", also=ratchet("450 src/base/a.cpp\n"))

    def test_a_planted_bug_that_fits_no_place_or_two_is_refused(self):
        bugs = {"tests/support/seeded_bugs.toml": '[[bug]]\nname = "b"\nfile = "src/base/a.cpp"\nfind = "x = 1;"\nreplace = ""\ntests = []\n'}
        self.refuses("seeded_bugs_fit", "src/base/a.cpp", "x = 2;\n", also=bugs)
        self.refuses("seeded_bugs_fit", "src/base/a.cpp", "x = 1; x = 1;\n", also=bugs)
        self.refuses("seeded_bugs_fit", "src/base/b.cpp", "x = 1;\n", also=bugs)
        self.accepts("seeded_bugs_fit", "src/base/a.cpp", "x = 1;\n", also=bugs)

    def test_unfinished_work_is_refused(self):
        self.refuses("unfinished_work", "src/base/a.cpp", "// TO" + "DO later\n")
        self.accepts("unfinished_work", "src/base/a.cpp", "// done\n")

    def test_a_workplace_is_refused_and_a_route_is_not(self):
        self.refuses("workplace_words", "docs/a.md", "see /wo" + "rk/main\n")
        self.refuses("workplace_words", "docs/a.md", "as the previous ses" + "sion said\n")
        self.accepts("workplace_words", "docs/a.md", "POST /api/v1/work/x, a TLS session, ./work/x\n")

    def test_another_word_for_a_task_is_refused(self):
        self.refuses("one_word_per_thing", "src/broker/a.cpp", "int job_id;\n")
        self.accepts("one_word_per_thing", "src/broker/a.cpp", 'auto type = "job";\n')
        self.assertTrue(list(RULES["one_word_per_thing"](Tree({"docs/glossary.md": "**task**"}))))
        self.assertTrue(list(RULES["one_word_per_thing"](Tree({}))))

    def test_a_sleeping_test_is_refused(self):
        self.refuses("no_sleeping_tests", "src/base/a_test.cpp", "std::this_thread::sleep_for(1s);\n")
        self.refuses("no_sleeping_tests", "src/base/a_test.cpp", "while (go) { step(); }\nstd::this_thread::sleep_for(1s);\n")
        self.accepts("no_sleeping_tests", "src/base/a_test.cpp", "clock.sleep_until(now);\n")
        self.accepts("no_sleeping_tests", "src/base/a_test.cpp", "while (!done()) std::this_thread::sleep_for(1ms);\n")

    def test_a_silenced_test_is_refused(self):
        self.refuses("no_silenced_tests", "src/base/a_test.cpp", "// TEST(A, B) {}\n")
        self.refuses("no_silenced_tests", "src/base/a_test.cpp", "TEST(A, DISABLED" + "_B) {}\n")
        self.accepts("no_silenced_tests", "src/base/a_test.cpp", "TEST(A, B) {}\n")

    def test_reading_a_clock_in_a_rule_is_refused(self):
        self.refuses("time_is_an_argument", "src/domain/a.cpp", "auto t = std::chrono::steady_clock::now();\n")
        self.accepts("time_is_an_argument", "src/base/clock.cpp", "auto t = std::chrono::steady_clock::now();\n")

    def test_every_rule_has_a_test_that_sees_it_refuse(self):
        with open(__file__, encoding="utf-8") as file:
            text = file.read()
        for rule in RULES:
            self.assertTrue(f'refuses("{rule}"' in text, f"{rule} was never seen to refuse")

    def test_blanking_keeps_every_line_and_column(self):
        text = 'a("x{\\"", \'{\'); // {\n/* {\n */ b = 1\'000; R"(\n{)" c'
        blanked = without_comments_and_strings(text)
        self.assertEqual([len(line) for line in text.split("\n")], [len(line) for line in blanked.split("\n")])
        self.assertNotIn("{", blanked)


if __name__ == "__main__":
    unittest.main()
