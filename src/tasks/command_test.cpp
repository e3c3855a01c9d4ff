#include "tasks/command.hpp"

#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <signal.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tasks/file_descriptor.hpp"
#include "tasks/temporary_folder.hpp"

namespace millrace::tasks {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Command shell(const std::string& script) {
  Command command;
  command.program = "/bin/sh";
  command.arguments = {"-c", script};
  return command;
}

CommandResult run(const Command& command, CommandLimits limits = {}, std::stop_token stop = {}) {
  return run_command(command, limits, stop).value();
}

/// Killed a process is for certain; gone it is a moment later.
bool ends_soon(pid_t pid) {
  const FileDescriptor watch{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  pollfd ended{watch.get(), POLLIN, 0};
  return !watch || ::poll(&ended, 1, 5000) == 1;
}

TEST(Command, GivesItsOutputErrorsAndExitCode) {
  const auto result = run(shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(result.end, CommandEnd::exited);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST(Command, ArgumentsReachTheProgramUnchangedByAnyShell) {
  Command command;
  command.program = "/usr/bin/printf";
  command.arguments = {"[%s]", "a b", "$(id)", ";rm", "'\"", "*"};
  EXPECT_EQ(run(command).out, "[a b][$(id)][;rm]['\"][*]");
}

TEST(Command, InputLargerThanAPipeIsReadToItsEnd) {
  auto command = shell("wc -c");
  command.input.assign(1 << 20, 'x');
  EXPECT_THAT(run(command).out, HasSubstr("1048576"));
}

TEST(Command, AProgramThatDoesNotReadItsInputIsNotAnError) {
  auto command = shell("exec 0<&-; sleep 0.05; echo done");
  command.input.assign(1 << 20, 'x');
  EXPECT_EQ(run(command).out, "done\n");
}

TEST(Command, TheEnvironmentIsWhatWasGivenAndNothingElse) {
  ::setenv("MILLRACE_TEST_SECRET", "canary", 1);
  Command command;
  command.program = "/usr/bin/env";
  command.environment = {{"LANG", "C"}};
  EXPECT_EQ(run(command).out, "LANG=C\n");
}

TEST(Command, NoDescriptorOfOursIsInherited) {
  const FileDescriptor leak{::open("/dev/null", O_RDONLY)};  // without O_CLOEXEC, on purpose
  const auto out = run(shell("ls /proc/self/fd | tr '\\n' ' '")).out;
  EXPECT_EQ(out, "0 1 2 3 ");  // 3 is the folder that ls reads
}

TEST(Command, TheTimeLimitEndsItAndEverythingItStarted) {
  const TemporaryFolder folder;
  CommandLimits limits;
  limits.time = 200ms;
  limits.stop_grace = 100ms;
  const auto command = shell("trap '' TERM; sleep 1000 & echo $! > " + (folder / "pid") + "; sleep 1000; sleep 1000");
  const auto result = run(command, limits);
  EXPECT_EQ(result.end, CommandEnd::time_over);
  EXPECT_LT(result.took, 5s);
  const pid_t grandchild = std::stoi(folder.read("pid"));
  EXPECT_TRUE(ends_soon(grandchild));
}

TEST(Command, WhatItLeavesRunningIsKilledAndDoesNotHoldTheOutputOpen) {
  const auto result = run(shell("sleep 1000 & echo $!"));
  EXPECT_EQ(result.end, CommandEnd::exited);
  EXPECT_LT(result.took, 5s);
  EXPECT_TRUE(ends_soon(std::stoi(result.out)));
}

TEST(Command, AStopEndsIt) {
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto result = run(shell("exec sleep 1000"), {}, stop.get_token());
  EXPECT_EQ(result.end, CommandEnd::stopped);
  EXPECT_LT(result.took, 5s);
}

TEST(Command, TooMuchOutputEndsItAndKeepsTheFirstPart) {
  CommandLimits limits;
  limits.output_bytes_max = 1000;
  limits.stop_grace = 100ms;
  const auto result = run(shell("while :; do echo xxxxxxxxxxxxxxxx; done"), limits);
  EXPECT_EQ(result.end, CommandEnd::output_over);
  EXPECT_EQ(result.out.size(), 1000u);
  EXPECT_EQ(run(shell("printf %1000s x"), limits).end, CommandEnd::exited);
  EXPECT_EQ(run(shell("printf %1001s x"), limits).end, CommandEnd::output_over);
}

TEST(Command, MemoryIsLimited) {
  CommandLimits limits;
  limits.memory_bytes_max = 64ull << 20;
  Command command;
  command.program = "/bin/dd";
  command.arguments = {"if=/dev/zero", "of=/dev/null", "bs=256M", "count=1"};
  const auto result = run(command, limits);
  EXPECT_EQ(result.end, CommandEnd::exited);
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("memory"));
}

TEST(Command, ADeathBySignalIsNamed) {
  const auto result = run(shell("kill -SEGV $$"));
  EXPECT_EQ(result.end, CommandEnd::signalled);
  EXPECT_EQ(signal_name(result.signal_number), "SIGSEGV");
}

TEST(Command, AProgramThatCannotRunIsAnErrorAtOnce) {
  const TemporaryFolder folder;
  folder.write("data", "x");
  Command command;
  command.program = folder / "absent";
  EXPECT_EQ(run_command(command, {}, {}).error().code, ErrorCode::not_found);
  command.program = folder / "data";
  EXPECT_EQ(run_command(command, {}, {}).error().code, ErrorCode::forbidden);
}

TEST(Command, IgnoredSignalsAndOurSignalMaskAreNotInherited) {
  const auto out = run(shell("grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n'")).out;
  EXPECT_EQ(out, "SigBlk:0000000000000000SigIgn:0000000000000000");
}

TEST(Command, ItLeadsItsOwnGroupGainsNoPrivilegesAndLeavesNoCore) {
  const auto out =
      run(shell("grep NoNewPrivs /proc/self/status | tr -d '\\t'; ulimit -c; cat /proc/self/oom_score_adj; umask")).out;
  EXPECT_EQ(out, "NoNewPrivs:1\n0\n1000\n0077\n");
}

TEST(Command, ManyAtATimeDoNotDisturbEachOther) {
  std::vector<std::jthread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        auto command = shell("cat");
        command.input = std::to_string(i * 100 + round);
        good += run(command).out == command.input ? 1 : 0;
      }
    });
  threads.clear();
  EXPECT_EQ(good, 80);
}

TEST(AllowedCommand, ReadsNameProgramFixedArgumentsAndThePermissionForMore) {
  EXPECT_EQ(parse_allowed_command("thumb=/usr/bin/convert -resize 10x ...").value(),
            (AllowedCommand{"thumb", "/usr/bin/convert", {"-resize", "10x"}, true}));
  EXPECT_EQ(parse_allowed_command("id=/usr/bin/id").value(), (AllowedCommand{"id", "/usr/bin/id", {}, false}));
  for (const char* bad : {"", "id", "=/usr/bin/id", "id=id", "id=", "a b=/bin/x"})
    EXPECT_FALSE(parse_allowed_command(bad)) << bad;
}

}  // namespace
}  // namespace millrace::tasks
