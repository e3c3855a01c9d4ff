#include "settings/command_line.hpp"

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::settings {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

Flags parse(Scope scope, std::vector<std::string> arguments) {
  CLI::App app;
  Flags flags;
  add_flags(app, scope, flags);
  app.allow_extras();
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the end
  app.parse(arguments);
  return flags;
}

TEST(CommandLine, NotesOnlyWhatWasGiven) {
  EXPECT_THAT(parse(Scope::serve, {}), IsEmpty());
  EXPECT_THAT(parse(Scope::serve, {"--max-retries", "5", "--broker=file:x"}),
              ElementsAre(Pair("broker", ElementsAre("file:x")), Pair("max_retries", ElementsAre("5"))));
}

TEST(CommandLine, AListTakesOneValueEachTime) {
  EXPECT_THAT(parse(Scope::serve, {"--listen", "a:1", "rest", "--listen", "b:2"}),
              ElementsAre(Pair("listen", ElementsAre("a:1", "b:2"))));
}

TEST(CommandLine, BooleansCanBeDenied) {
  EXPECT_THAT(parse(Scope::serve, {"--insecure-bind", "rest"}),
              ElementsAre(Pair("insecure_bind", ElementsAre("true"))));
  EXPECT_THAT(parse(Scope::serve, {"--no-legacy-env"}), ElementsAre(Pair("legacy_env", ElementsAre("false"))));
}

TEST(CommandLine, FileVariantsAreFlagsToo) {
  EXPECT_THAT(parse(Scope::client, {"--client-token-file", "t"}),
              ElementsAre(Pair("client_token_file", ElementsAre("t"))));
}

TEST(CommandLine, ACommandHasOnlyItsOwnFlags) {
  EXPECT_THAT(parse(Scope::client, {"--listen", "a:1"}), IsEmpty());
  CLI::App app;
  Flags flags;
  add_flags(app, Scope::client, flags);
  EXPECT_THAT(app.help(), HasSubstr("--server"));
  EXPECT_THAT(app.help(), Not(HasSubstr("--listen")));
}

}  // namespace
}  // namespace millrace::settings
