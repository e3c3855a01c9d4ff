#include "settings/resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::settings {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Inputs with files in memory.
class ResolveTest : public testing::Test {
 protected:
  ResolveTest() {
    inputs_.hardware_threads = 2;
    inputs_.read_file = [this](const std::string& path) -> Result<std::string> {
      const auto found = files_.find(path);
      if (found == files_.end()) return Error{ErrorCode::not_found, "cannot read " + path, {}};
      return found->second;
    };
    inputs_.exists = [this](const std::string& path) { return files_.contains(path); };
  }
  Resolution run() { return resolve(inputs_); }

  Inputs inputs_;
  std::map<std::string, std::string> files_;
};

TEST_F(ResolveTest, AnEmptyWorldGivesSafeDefaults) {
  const auto result = run();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.warnings, IsEmpty());
  EXPECT_THAT(result.notes, IsEmpty());
  EXPECT_THAT(result.startup_lines, IsEmpty());
  EXPECT_THAT(result.settings.listen, ElementsAre("127.0.0.1:8000"));
  EXPECT_EQ(result.settings.broker, "file:./millrace-data");
  EXPECT_EQ(result.settings.durability, "disk");
  EXPECT_EQ(result.settings.workers, 2);
  EXPECT_EQ(result.settings.backoff(), Backoff{});
  EXPECT_EQ(result.settings.lease, Milliseconds{30'000});
  EXPECT_EQ(result.settings.idempotency_ttl, TaskSpec{}.idempotency_ttl);
  EXPECT_EQ(result.settings.max_retries, TaskSpec{}.max_retries);
  EXPECT_FALSE(result.settings.insecure_bind);
  EXPECT_EQ(result.at("broker").origin, "default");
}

TEST_F(ResolveTest, TheFirstSourceWins) {
  inputs_.flags = {{"max_retries", {"1"}}, {"config", {"c.toml"}}};
  inputs_.environment = {{"MILLRACE_MAX_RETRIES", "2"},
                         {"MILLRACE_BACKOFF_FACTOR", "3"},
                         {"MILLRACE_ENV_FILE", ".env"},
                         {"MAX_RETRIES", "9"}};
  files_[".env"] = "MILLRACE_MAX_RETRIES=4\nMILLRACE_BACKOFF_FACTOR=5\nMILLRACE_BACKOFF_JITTER=0.5\nLOG_LEVEL=DEBUG\n";
  files_["c.toml"] = "max_retries = 6\nbackoff_jitter = 0.7\nresult_ttl = \"2d\"\n";
  const auto result = run();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.settings.max_retries, 1);
  EXPECT_EQ(result.at("max_retries").origin, "--max-retries");
  EXPECT_EQ(result.settings.backoff_factor, 3);
  EXPECT_EQ(result.at("backoff_factor").origin, "MILLRACE_BACKOFF_FACTOR");
  EXPECT_EQ(result.settings.backoff_jitter, 0.5);
  EXPECT_EQ(result.at("backoff_jitter").origin, "MILLRACE_BACKOFF_JITTER in .env");
  EXPECT_EQ(result.settings.result_ttl, Milliseconds{2 * 86'400'000});
  EXPECT_EQ(result.at("result_ttl").origin, "c.toml line 3");
  EXPECT_EQ(result.settings.log_level, "debug");
  EXPECT_EQ(result.at("log_level").source, Source::legacy);
}

TEST_F(ResolveTest, SaysWhatMovedTheBroker) {
  inputs_.broker_schemes.emplace_back("redis");
  inputs_.environment = {{"REDIS_HOST", "redis"}};
  const auto result = run();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.startup_lines, ElementsAre("broker redis://redis:6379/0 (from REDIS_HOST)"));
}

TEST_F(ResolveTest, AMissingComponentIsNamed) {
  inputs_.environment = {{"REDIS_HOST", "redis"}};
  EXPECT_THAT(run().problems,
              ElementsAre(HasSubstr("broker redis://redis:6379/0 (from REDIS_HOST): this build has no "
                                    "component 'redis'; it knows file:, memory:; --broker file:./millrace-data")));
  inputs_.environment = {{"RABBITMQ_HOST", "mq"}};
  EXPECT_THAT(run().problems, ElementsAre(HasSubstr("component 'rabbitmq'")));
  inputs_.environment = {{"MILLRACE_BROKER", "sqs://x"}};
  EXPECT_THAT(run().problems, ElementsAre(HasSubstr("no broker has the scheme 'sqs:'")));
}

TEST_F(ResolveTest, OlderVariablesNeverLeaveADataDirectoryBehind) {
  inputs_.broker_schemes.emplace_back("redis");
  inputs_.environment = {{"REDIS_HOST", "redis"}};
  files_["./millrace-data"] = "";
  EXPECT_THAT(run().problems,
              ElementsAre(HasSubstr("say which one to use: --broker file:./millrace-data or --broker redis://")));
  inputs_.flags = {{"broker", {"redis://redis:6379/0"}}};
  EXPECT_THAT(run().problems, IsEmpty());
}

TEST_F(ResolveTest, OlderVariablesCanBeSwitchedOff) {
  inputs_.environment = {{"REDIS_HOST", "redis"}, {"LOG_LEVEL", "nonsense"}};
  inputs_.flags = {{"legacy_env", {"false"}}};
  const auto result = run();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.settings.broker, "file:./millrace-data");
}

TEST_F(ResolveTest, OlderVariablesMoveNoClientAndNoWorkerOfAServer) {
  inputs_.environment = {{"REDIS_HOST", "redis"}};
  inputs_.scope = Scope::client;
  EXPECT_FALSE(run().given("broker"));
  inputs_.scope = Scope::worker;
  EXPECT_TRUE(run().given("broker"));
  inputs_.environment["MILLRACE_SERVER"] = "http://gateway:8000";
  EXPECT_FALSE(run().given("broker"));
}

TEST_F(ResolveTest, SecretsComeFromFilesAndAreNeverShown) {
  inputs_.scope = Scope::client;
  inputs_.broker_schemes.emplace_back("redis");
  inputs_.environment = {{"MILLRACE_BROKER_FILE", "/run/secrets/broker"}, {"MILLRACE_TOKEN", "mrt_canary"}};
  files_["/run/secrets/broker"] = "redis://:canary@host/0\n";
  const auto result = run();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.settings.broker, "redis://:canary@host/0");
  EXPECT_EQ(result.settings.token, "mrt_canary");
  EXPECT_EQ(result.at("broker").shown, "redis://:***@host/0");
  EXPECT_EQ(result.at("broker").origin, "MILLRACE_BROKER_FILE /run/secrets/broker");
  EXPECT_EQ(result.at("token").shown, "***");
  EXPECT_THAT(result.startup_lines, Each(Not(HasSubstr("canary"))));
}

TEST_F(ResolveTest, BadSecretsAreNotShownEither) {
  inputs_.environment = {{"MILLRACE_BROKER", "canary"}, {"MILLRACE_SMTP_URL", "ftp://u:canary@h"}};
  for (const auto& problem : run().problems) EXPECT_THAT(problem, Not(HasSubstr("canary")));
}

TEST_F(ResolveTest, AValueAndItsFileExcludeEachOther) {
  inputs_.environment = {{"MILLRACE_BROKER_FILE", "b"}, {"MILLRACE_BROKER", "memory:"}};
  files_["b"] = "memory:";
  EXPECT_THAT(run().problems, ElementsAre("MILLRACE_BROKER and MILLRACE_BROKER_FILE: give one of them"));
  inputs_.environment = {{"MILLRACE_BROKER_FILE", "b"}};
  inputs_.flags = {{"broker", {"file:x"}}};
  const auto result = run();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.settings.broker, "file:x");
}

TEST_F(ResolveTest, ASecretOnTheCommandLineIsWarnedOf) {
  inputs_.broker_schemes.emplace_back("redis");
  inputs_.flags = {{"broker", {"redis://:pw@h"}}};
  EXPECT_THAT(run().warnings, ElementsAre(HasSubstr("MILLRACE_BROKER_FILE")));
  inputs_.flags = {{"broker", {"redis://h"}}};
  EXPECT_THAT(run().warnings, IsEmpty());
  inputs_.scope = Scope::client;
  inputs_.flags = {{"token", {"mrt_x"}}};
  EXPECT_THAT(run().warnings, ElementsAre(HasSubstr("MILLRACE_CLIENT_TOKEN_FILE")));
}

TEST_F(ResolveTest, UnknownVariablesAreWarnedOfWithTheNearestName) {
  inputs_.environment = {{"MILLRACE_WROKERS", "4"},
                         {"MILLRACE_XYZZY", "1"},
                         {"MILLRACE_SERVICE_HOST", "10.0.0.1"},
                         {"MILLRACE_PORT", "tcp://10.0.0.1:8000"}};
  const auto result = run();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.warnings, ElementsAre("MILLRACE_WROKERS: there is no such setting; did you mean MILLRACE_WORKERS?",
                                           "MILLRACE_XYZZY: there is no such setting"));
  EXPECT_THAT(
      result.notes,
      ElementsAre("MILLRACE_PORT, MILLRACE_SERVICE_HOST ignored: Kubernetes sets it for a service of that name"));
}

TEST_F(ResolveTest, UnknownKeysOfAFileAreProblems) {
  inputs_.flags = {{"config", {"c.toml"}}};
  files_["c.toml"] = "\nwrokers = 4\n";
  EXPECT_THAT(run().problems, ElementsAre("c.toml line 2: there is no setting 'wrokers'; did you mean 'workers'?"));
}

TEST_F(ResolveTest, EveryProblemIsToldWithItsSource) {
  inputs_.flags = {{"max_retries", {"2000"}}, {"env_file", {"gone"}}};
  inputs_.environment = {{"MILLRACE_DURABILITY", "cloud"}, {"MILLRACE_LISTEN", "127.0.0.1"}};
  EXPECT_THAT(run().problems, testing::UnorderedElementsAre(
                                  "env_file: cannot read gone",
                                  "max_retries '2000' (from --max-retries) is not a whole number, 0 to 1000",
                                  "durability 'cloud' (from MILLRACE_DURABILITY) is not one of disk, process, memory",
                                  HasSubstr("listen '127.0.0.1' (from MILLRACE_LISTEN) '127.0.0.1' is not host:port")));
}

TEST_F(ResolveTest, ABadValueForAnotherCommandDoesNotStopThisOne) {
  inputs_.scope = Scope::client;
  inputs_.environment = {{"MILLRACE_LISTEN", "nonsense"}};
  EXPECT_THAT(run().problems, IsEmpty());
}

TEST_F(ResolveTest, BeyondLoopbackItNeedsTokensAndTls) {
  inputs_.flags = {{"listen", {"127.0.0.1:8000", "0.0.0.0:8000"}}};
  EXPECT_THAT(run().problems, ElementsAre(HasSubstr("listen 0.0.0.0:8000: beyond loopback")));
  inputs_.flags["token_file"] = {"tokens"};
  EXPECT_THAT(run().problems, ElementsAre(HasSubstr("listen 0.0.0.0:8000: beyond loopback")));
  inputs_.flags["tls_cert"] = {"cert.pem"};
  EXPECT_THAT(run().problems, Contains("tls_cert and tls_key: give both or neither"));
  inputs_.flags["tls_key"] = {"key.pem"};
  EXPECT_THAT(run().problems, IsEmpty());
  inputs_.flags = {{"listen", {"0.0.0.0:8000"}}, {"insecure_bind", {"true"}}};
  const auto result = run();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.warnings, ElementsAre(HasSubstr("open to the network without tokens")));
}

TEST_F(ResolveTest, LocalAddressesNeedNothing) {
  for (const auto* address : {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1", "unix:/run/m"}) {
    inputs_.flags = {{"listen", {address}}};
    EXPECT_THAT(run().problems, IsEmpty()) << address;
  }
  for (const auto* address : {"[::]:1", "127.evil.com:1", "10.0.0.1:1", "[::ffff:127.0.0.1]:1"}) {
    inputs_.flags = {{"listen", {address}}};
    EXPECT_THAT(run().problems, Not(IsEmpty())) << address;
  }
}

TEST_F(ResolveTest, SettingsThatContradictEachOtherAreProblems) {
  inputs_.flags = {{"disk_hard_bytes", {"3GiB"}},
                   {"max_payload_bytes", {"32MiB"}},
                   {"dialects", {"all,celery"}},
                   {"smtp_url", {"smtp://mail"}},
                   {"ledger", {"file:x"}}};
  EXPECT_THAT(run().problems, testing::UnorderedElementsAre(
                                  HasSubstr("disk_hard_bytes:"), HasSubstr("max_body_bytes:"), HasSubstr("dialects:"),
                                  HasSubstr("smtp_recipient_domains:"), HasSubstr("ledger:")));
}

TEST_F(ResolveTest, ConfigShowHasEverySettingWithItsSource) {
  const auto result = run();
  EXPECT_EQ(result.values.size(), setting_table().size());
  for (const auto& value : result.values) EXPECT_FALSE(value.origin.empty()) << value.info->name;
}

TEST(ProcessInputs, ReadTheRealWorld) {
  const auto inputs = process_inputs(Scope::client, {});
  EXPECT_TRUE(inputs.environment.contains("PATH"));
  EXPECT_TRUE(inputs.exists("/"));
  EXPECT_EQ(inputs.read_file("/nowhere/at/all").error().code, ErrorCode::not_found);
  EXPECT_FALSE(inputs.read_file("/dev/zero"));
  EXPECT_EQ(inputs.read_file("/dev/null").value(), "");
}

}  // namespace
}  // namespace millrace::settings
