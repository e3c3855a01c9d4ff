#include "settings/legacy_env.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::settings {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string value(const Variables& variables, const std::string& setting) {
  const auto reading = read_legacy_env(variables);
  const auto found = reading.settings.find(setting);
  return found == reading.settings.end() ? "" : found->second.value + " from " + found->second.origin;
}

TEST(LegacyEnv, NothingSetSaysNothing) {
  const auto reading = read_legacy_env({{"PATH", "/bin"}, {"REDIS_HOST", ""}});
  EXPECT_THAT(reading.settings, IsEmpty());
  EXPECT_THAT(reading.notes, IsEmpty());
}

TEST(LegacyEnv, RedisAloneIsTheBroker) {
  EXPECT_EQ(value({{"REDIS_HOST", "redis"}}, "broker"), "redis://redis:6379/0 from REDIS_HOST");
  EXPECT_EQ(value({{"REDIS_HOST", "h"}, {"REDIS_PORT", "1"}, {"REDIS_DB", "2"}, {"REDIS_PASSWORD", "p/w"}}, "broker"),
            "redis://:p%2Fw@h:1/2 from REDIS_HOST");
  EXPECT_EQ(value({{"REDIS_PORT", "6379"}}, "broker"), "");
}

TEST(LegacyEnv, RabbitMqIsTheBrokerAndRedisItsLedger) {
  const Variables variables{{"RABBITMQ_HOST", "rabbitmq"}, {"REDIS_HOST", "cache"}};
  EXPECT_EQ(value(variables, "broker"), "amqp://guest:guest@rabbitmq:5672/ from RABBITMQ_HOST");
  EXPECT_EQ(value(variables, "ledger"), "redis://cache:6379/0 from REDIS_HOST");
  EXPECT_EQ(value({{"RABBITMQ_HOST", "r"}}, "ledger"), "redis://redis:6379/0 from the default of REDIS_HOST");
  EXPECT_EQ(
      value({{"RABBITMQ_HOST", "r"}, {"RABBITMQ_USER", "a@b"}, {"RABBITMQ_PASSWORD", "p:w"}, {"RABBITMQ_VHOST", "/x"}},
            "broker"),
      "amqp://a%40b:p%3Aw@r:5672/%2Fx from RABBITMQ_HOST");
}

TEST(LegacyEnv, CeleryUrlsComeFirst) {
  const Variables variables{{"CELERY_BROKER_URL", "amqp://guest:guest@rabbitmq:5672//"},
                            {"CELERY_RESULT_BACKEND", "redis://redis:6379/0"},
                            {"RABBITMQ_HOST", "other"},
                            {"REDIS_HOST", "another"}};
  EXPECT_EQ(value(variables, "broker"), "amqp://guest:guest@rabbitmq:5672// from CELERY_BROKER_URL");
  EXPECT_EQ(value(variables, "ledger"), "redis://redis:6379/0 from CELERY_RESULT_BACKEND");
  EXPECT_EQ(value({{"CELERY_BROKER_URL", "redis://r/1"}, {"CELERY_RESULT_BACKEND", "rpc://"}}, "ledger"), "");
}

TEST(LegacyEnv, ALedgerMustBeOneOfOurs) {
  const auto reading =
      read_legacy_env({{"CELERY_BROKER_URL", "amqp://h"}, {"CELERY_RESULT_BACKEND", "db+mysql://u:pw@h/d"}});
  ASSERT_EQ(reading.problems.size(), 1U);
  EXPECT_THAT(reading.problems[0], HasSubstr("CELERY_RESULT_BACKEND"));
  EXPECT_THAT(reading.problems[0], testing::Not(HasSubstr("pw")));
}

TEST(LegacyEnv, BaseDelayIsInitialAndFactorWithoutLimit) {
  const Variables variables{{"RETRY_BASE_DELAY", "2.0"}};
  EXPECT_EQ(value(variables, "backoff_initial"), "2.0 from RETRY_BASE_DELAY");
  EXPECT_EQ(value(variables, "backoff_factor"), "2.0 from RETRY_BASE_DELAY");
  EXPECT_EQ(value(variables, "backoff_max"), "0 from RETRY_BASE_DELAY");
  EXPECT_EQ(value(variables, "backoff_jitter"), "0 from RETRY_BASE_DELAY");
}

TEST(LegacyEnv, InitialAndMaxDelayCompleteEachOther) {
  EXPECT_EQ(value({{"INITIAL_RETRY_DELAY", "3"}}, "backoff_initial"), "3 from INITIAL_RETRY_DELAY");
  EXPECT_EQ(value({{"INITIAL_RETRY_DELAY", "3"}}, "backoff_max"), "60 from INITIAL_RETRY_DELAY");
  EXPECT_EQ(value({{"MAX_RETRY_DELAY", "90"}}, "backoff_initial"), "1 from MAX_RETRY_DELAY");
  EXPECT_EQ(value({{"MAX_RETRY_DELAY", "90"}}, "backoff_max"), "90 from MAX_RETRY_DELAY");
  EXPECT_EQ(value({{"MAX_RETRY_DELAY", "90"}}, "backoff_factor"), "2 from MAX_RETRY_DELAY");
  const auto both = read_legacy_env({{"INITIAL_RETRY_DELAY", "3"}, {"RETRY_BASE_DELAY", "5"}});
  EXPECT_EQ(both.settings.at("backoff_initial").value, "3");
  EXPECT_THAT(both.notes, ElementsAre(HasSubstr("RETRY_BASE_DELAY ignored")));
}

TEST(LegacyEnv, PlainOnesAreCopied) {
  EXPECT_EQ(value({{"LOG_LEVEL", "WARNING"}}, "log_level"), "WARNING from LOG_LEVEL");
  EXPECT_EQ(value({{"MAX_RETRIES", "7"}}, "max_retries"), "7 from MAX_RETRIES");
  EXPECT_EQ(value({{"REDIS_TASK_TTL", "3600"}}, "idempotency_ttl"), "3600 from REDIS_TASK_TTL");
}

TEST(LegacyEnv, WhatKubernetesSetsIsNoPort) {
  const auto reading = read_legacy_env({{"REDIS_HOST", "redis"}, {"REDIS_PORT", "tcp://10.0.0.1:6379"}});
  EXPECT_EQ(reading.settings.at("broker").value, "redis://redis:6379/0");
  EXPECT_THAT(reading.notes, ElementsAre(HasSubstr("REDIS_PORT ignored: Kubernetes")));
}

TEST(LegacyEnv, TellsWhatHasNoMeaningHere) {
  const auto reading =
      read_legacy_env({{"FLASK_APP", "app.py"}, {"FLASK_ENV", "development"}, {"EXCHANGE_NAME", "task_exchange"}});
  EXPECT_THAT(reading.notes,
              ElementsAre(HasSubstr("FLASK_APP, FLASK_ENV ignored"), HasSubstr("EXCHANGE_NAME ignored")));
}

}  // namespace
}  // namespace millrace::settings
