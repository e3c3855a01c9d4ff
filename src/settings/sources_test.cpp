#include "settings/sources.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::settings {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(EnvFile, ReadsWhatIsCommonlyWritten) {
  const auto variables = parse_env_file(
      "\xef\xbb\xbf# comment\r\n"
      "\n"
      "A=1\r\n"
      "export B = two words # comment\n"
      "C='single # \\n $X' # comment\n"
      "D=\"line\\nbreak \\\"quoted\\\" \\$X\"\n"
      "E=\n"
      "F=redis://h#fragment\n"
      "G=a=b\n"
      "H=#nothing\n"
      "A=last");
  EXPECT_THAT(variables.value(), ElementsAre(Pair("A", "last"), Pair("B", "two words"), Pair("C", "single # \\n $X"),
                                             Pair("D", "line\nbreak \"quoted\" $X"), Pair("E", ""),
                                             Pair("F", "redis://h#fragment"), Pair("G", "a=b"), Pair("H", "")));
}

TEST(EnvFile, NamesTheBadLines) {
  EXPECT_EQ(parse_env_file("A=1\nnonsense\n").error().detail, "line 2: expected NAME=value");
  EXPECT_EQ(parse_env_file("1A=1").error().detail, "line 1: a name has only letters, digits and _");
  EXPECT_THAT(parse_env_file("A='x\nB=\"x\" y").error().detail, HasSubstr("line 1: the quote of A does not end"));
  EXPECT_THAT(parse_env_file("A='x\nB=\"x\" y").error().detail, HasSubstr("line 2: the quote of B"));
}

TEST(EnvFile, MayBeEmpty) { EXPECT_THAT(parse_env_file("").value(), IsEmpty()); }

TEST(ConfigFile, ReadsTextsNumbersBooleansAndLists) {
  const auto entries = parse_config_file(
                           "# comment\n"
                           "broker = \"file:./data\"\n"
                           "max_retries = 5\n"
                           "backoff_factor = 1.5\n"
                           "workers_inline = true\n"
                           "listen = [\"127.0.0.1:1\", \"[::1]:1\"]\n")
                           .value();
  EXPECT_THAT(entries.at("broker").values, ElementsAre("file:./data"));
  EXPECT_EQ(entries.at("broker").line, 2);
  EXPECT_THAT(entries.at("max_retries").values, ElementsAre("5"));
  EXPECT_THAT(entries.at("backoff_factor").values, ElementsAre("1.5"));
  EXPECT_THAT(entries.at("workers_inline").values, ElementsAre("true"));
  EXPECT_THAT(entries.at("listen").values, ElementsAre("127.0.0.1:1", "[::1]:1"));
}

TEST(ConfigFile, RefusesWhatNoSettingCanBe) {
  EXPECT_THAT(parse_config_file("a = \n").error().detail, HasSubstr("line 1"));
  EXPECT_THAT(parse_config_file("a = 1\na = 2\n").error().detail, HasSubstr("line 2"));
  EXPECT_THAT(parse_config_file("\n[serve]\nlisten = 1\n").error().detail,
              HasSubstr("line 2: settings stand at the top"));
  EXPECT_THAT(parse_config_file("[[`80").error().detail, HasSubstr("line 1: settings stand at the top"));
  EXPECT_THAT(parse_config_file("a = {b = 1}").error().detail, HasSubstr("a: tables and dates"));
  EXPECT_THAT(parse_config_file("a = [\n  'x',\n  [1]\n]").error().detail, HasSubstr("a: a list holds"));
  EXPECT_THAT(parse_config_file("a = [[1]]").error().detail, HasSubstr("a: a list holds"));
  EXPECT_THAT(parse_config_file("a = 2026-11-22").error().detail, HasSubstr("a: tables and dates"));
}

TEST(ConfigFile, TakesLettersOfEveryScriptInQuotesOnly) {
  const auto entries = parse_config_file(
                           "\xef\xbb\xbf# größe\n"
                           "a = \"ü\\\"ü\" # é\n"
                           "b = 'é'\n"
                           "c = \"\"\"ä\n\"ä\"\"\"\"\n"
                           "d = '''ö'''\n")
                           .value();
  EXPECT_THAT(entries.at("a").values, ElementsAre("ü\"ü"));
  EXPECT_THAT(entries.at("b").values, ElementsAre("é"));
  EXPECT_THAT(entries.at("c").values, ElementsAre("ä\n\"ä\""));
  EXPECT_THAT(entries.at("d").values, ElementsAre("ö"));
  EXPECT_THAT(parse_config_file("a = '~c3 ~/data ~'").value().at("a").values, ElementsAre("~c3 ~/data ~"));
  EXPECT_THAT(parse_config_file("a = 1\nlistenà\"=1").error().detail, HasSubstr("line 2"));
  EXPECT_THAT(parse_config_file("a = à").error().detail, HasSubstr("line 1"));
}

TEST(Kubernetes, InjectsTheseVariables) {
  for (const auto* variable :
       {"MILLRACE_SERVICE_HOST", "MILLRACE_SERVICE_PORT", "MILLRACE_SERVICE_PORT_HTTP", "MILLRACE_PORT_8000_TCP_ADDR",
        "MILLRACE_PORT_8000_TCP_PROTO", "MILLRACE_API_SERVICE_HOST"}) {
    EXPECT_TRUE(is_injected_by_kubernetes(variable, "10.0.0.1")) << variable;
  }
  EXPECT_TRUE(is_injected_by_kubernetes("MILLRACE_PORT", "tcp://10.0.0.1:8000"));
  EXPECT_FALSE(is_injected_by_kubernetes("MILLRACE_PORT", "8000"));
  EXPECT_FALSE(is_injected_by_kubernetes("MILLRACE_WROKERS", "8"));
}

}  // namespace
}  // namespace millrace::settings
