#include "settings/legacy_env.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace millrace::settings {
namespace {

constexpr std::string_view topology = "With a RabbitMQ broker only.";

constexpr std::array table{
    LegacyInfo{"LOG_LEVEL", "INFO", "`log_level`."},
    LegacyInfo{"MAX_RETRIES", "3", "`max_retries`."},
    LegacyInfo{"RETRY_BASE_DELAY", "2.0",
               "`backoff_initial` and `backoff_factor`, with no longest delay and no jitter."},
    LegacyInfo{"INITIAL_RETRY_DELAY", "1", "`backoff_initial`, with a factor of 2 and no jitter."},
    LegacyInfo{"MAX_RETRY_DELAY", "60", "`backoff_max`, likewise."},
    LegacyInfo{"CELERY_BROKER_URL", "", "`broker`."},
    LegacyInfo{"CELERY_RESULT_BACKEND", "", "`ledger`, when the broker is a RabbitMQ."},
    LegacyInfo{"RABBITMQ_HOST", "rabbitmq", "`broker`, with the four below."},
    LegacyInfo{"RABBITMQ_PORT", "5672", "Its port."},
    LegacyInfo{"RABBITMQ_USER", "guest", "Its user."},
    LegacyInfo{"RABBITMQ_PASSWORD", "guest", "Its password."},
    LegacyInfo{"RABBITMQ_VHOST", "/", "Its virtual host."},
    LegacyInfo{"REDIS_HOST", "redis", "`broker`; `ledger` when `RABBITMQ_HOST` is set too."},
    LegacyInfo{"REDIS_PORT", "6379", "Its port."},
    LegacyInfo{"REDIS_DB", "0", "Its database."},
    LegacyInfo{"REDIS_PASSWORD", "", "Its password."},
    LegacyInfo{"REDIS_TASK_TTL", "86400", "`idempotency_ttl`, in seconds."},
    LegacyInfo{"EXCHANGE_NAME", "task_exchange", topology},
    LegacyInfo{"EXCHANGE_TYPE", "direct", topology},
    LegacyInfo{"ROUTING_KEY", "task.process", topology},
    LegacyInfo{"TASK_QUEUE", "task_queue", topology},
    LegacyInfo{"DLQ_EXCHANGE", "dlq_exchange", topology},
    LegacyInfo{"DLQ_QUEUE", "dead_letter_queue", topology},
};

/// `text` as it may stand in the user part or the path of a URL.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

/// Reads the variables one question at a time and keeps the answers.
class Reader {
 public:
  explicit Reader(const Variables& variables) : variables_(variables) { set_aside_injected(); }

  LegacyReading read() {
    copy("LOG_LEVEL", "log_level");
    copy("MAX_RETRIES", "max_retries");
    copy("REDIS_TASK_TTL", "idempotency_ttl");
    read_backoff();
    read_broker();
    note_ignored();
    return std::move(reading_);
  }

 private:
  /// The value that is set and not empty, unless Kubernetes put it there.
  std::optional<std::string> find(std::string_view variable) const {
    const auto found = variables_.find(std::string(variable));
    if (found == variables_.end() || found->second.empty()) return std::nullopt;
    const bool injected = std::find(injected_.begin(), injected_.end(), variable) != injected_.end();
    return injected ? std::nullopt : std::optional(found->second);
  }
  /// The same, or what the older system took instead.
  std::string value_or_default(std::string_view variable) const {
    if (auto value = find(variable)) return *std::move(value);
    const auto* row =
        std::find_if(table.begin(), table.end(), [&](const auto& info) { return info.variable == variable; });
    return std::string(row->default_text);
  }
  void set(std::string_view setting, std::string value, std::string_view origin) {
    reading_.settings[std::string(setting)] = {std::move(value), std::string(origin)};
  }
  void copy(std::string_view variable, std::string_view setting) {
    if (auto value = find(variable)) set(setting, *std::move(value), variable);
  }

  void set_aside_injected() {
    for (const auto& row : table) {
      const auto found = variables_.find(std::string(row.variable));
      if (found != variables_.end() && found->second.starts_with("tcp://")) injected_.emplace_back(row.variable);
    }
    if (!injected_.empty()) {
      reading_.notes.push_back(joined(injected_) + " ignored: Kubernetes sets it for a service of that name");
    }
  }

  void read_backoff() {
    const bool has_initial = find("INITIAL_RETRY_DELAY") || find("MAX_RETRY_DELAY");
    if (has_initial) {
      const std::string_view origin = find("INITIAL_RETRY_DELAY") ? "INITIAL_RETRY_DELAY" : "MAX_RETRY_DELAY";
      set("backoff_initial", value_or_default("INITIAL_RETRY_DELAY"), origin);
      set("backoff_factor", "2", origin);
      set("backoff_max", value_or_default("MAX_RETRY_DELAY"), find("MAX_RETRY_DELAY") ? "MAX_RETRY_DELAY" : origin);
      set("backoff_jitter", "0", origin);
      if (find("RETRY_BASE_DELAY"))
        reading_.notes.push_back("RETRY_BASE_DELAY ignored: " + std::string(origin) + " is set too");
      return;
    }
    if (const auto base = find("RETRY_BASE_DELAY")) {
      set("backoff_initial", *base, "RETRY_BASE_DELAY");
      set("backoff_factor", *base, "RETRY_BASE_DELAY");
      set("backoff_max", "0", "RETRY_BASE_DELAY");
      set("backoff_jitter", "0", "RETRY_BASE_DELAY");
    }
  }

  std::string redis_url() const {
    const auto password = find("REDIS_PASSWORD");
    return "redis://" + (password ? ":" + percent_encoded(*password) + "@" : std::string()) +
           value_or_default("REDIS_HOST") + ":" + value_or_default("REDIS_PORT") + "/" + value_or_default("REDIS_DB");
  }
  std::string rabbitmq_url() const {
    const auto vhost = value_or_default("RABBITMQ_VHOST");
    return "amqp://" + percent_encoded(value_or_default("RABBITMQ_USER")) + ":" +
           percent_encoded(value_or_default("RABBITMQ_PASSWORD")) + "@" + value_or_default("RABBITMQ_HOST") + ":" +
           value_or_default("RABBITMQ_PORT") + "/" + (vhost == "/" ? std::string() : percent_encoded(vhost));
  }

  void read_broker() {
    if (const auto celery = find("CELERY_BROKER_URL")) {
      set("broker", *celery, "CELERY_BROKER_URL");
      if (celery->starts_with("amqp")) read_ledger();
    } else if (find("RABBITMQ_HOST")) {
      set("broker", rabbitmq_url(), "RABBITMQ_HOST");
      read_ledger();
    } else if (find("REDIS_HOST")) {
      set("broker", redis_url(), "REDIS_HOST");
    }
  }
  void read_ledger() {
    if (const auto backend = find("CELERY_RESULT_BACKEND")) {
      if (backend->starts_with("redis") || backend->starts_with("file:"))
        return set("ledger", *backend, "CELERY_RESULT_BACKEND");
      reading_.problems.push_back("CELERY_RESULT_BACKEND: a ledger is a redis: or file: URL; name one with --ledger");
      return;
    }
    set("ledger", redis_url(), find("REDIS_HOST") ? "REDIS_HOST" : "the default of REDIS_HOST");
  }

  void note_ignored() {
    std::vector<std::string> flask;
    for (const auto& [variable, value] : variables_) {
      if (variable.starts_with("FLASK_")) flask.push_back(variable);
    }
    if (!flask.empty()) reading_.notes.push_back(joined(flask) + " ignored: there is no Flask here");
    const auto broker = reading_.settings.find("broker");
    if (broker != reading_.settings.end() && broker->second.value.starts_with("amqp")) return;
    std::vector<std::string> unused;
    for (const auto& row : table) {
      if (row.meaning == topology && find(row.variable)) unused.emplace_back(row.variable);
    }
    if (!unused.empty())
      reading_.notes.push_back(joined(unused) + " ignored: only a RabbitMQ broker has exchanges and their queues");
  }

  const Variables& variables_;
  std::vector<std::string> injected_;
  LegacyReading reading_;
};

}  // namespace

std::span<const LegacyInfo> legacy_table() noexcept { return table; }

LegacyReading read_legacy_env(const Variables& variables) { return Reader(variables).read(); }

}  // namespace millrace::settings
