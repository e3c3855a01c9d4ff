#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <millrace/task.hpp>
#include <millrace/time.hpp>

/// Every setting of the program: one table (setting_table.hpp) says how each is written, and `resolve` (resolve.hpp)
/// finds its value and where that came from. Used by apps only; what they start gets options of its own.
namespace millrace::settings {

/// The values in force. Texts that have a fixed set of values hold one of them. Meanings, units and limits stand in the
/// table, which is where the documentation comes from. Only what belongs to the command's scope is validated.
struct Settings {
  // Where settings come from.
  std::string config = {};
  std::string env_file = {};
  bool legacy_env = true;

  // The gateway.
  std::vector<std::string> listen = {};
  std::vector<std::string> public_host = {};
  bool insecure_bind = false;
  std::string tls_cert = {};
  std::string tls_key = {};
  std::string token_file = {};
  std::vector<std::string> cors_origin = {};
  std::vector<std::string> dialects = {};  // `all`, `none` or names
  std::int64_t io_threads = 1;
  std::int64_t max_connections = 0;
  std::uint64_t max_body_bytes = 0;
  std::int64_t max_batch_items = 0;
  Milliseconds drain_grace{0};

  // The broker and its engine.
  std::string broker = {};
  std::string ledger = {};
  std::string durability = {};  // disk, process, memory
  std::uint64_t hot_bytes = 0;
  std::uint64_t disk_soft_bytes = 0;
  std::uint64_t disk_hard_bytes = 0;
  std::uint64_t ballast_bytes = 0;
  bool allow_unsafe_filesystem = false;

  // Tasks that do not say themselves.
  std::int64_t max_retries = 0;
  Milliseconds backoff_initial{0};
  double backoff_factor = 0;
  Milliseconds backoff_max{0};
  double backoff_jitter = 0;
  Milliseconds idempotency_ttl{0};
  Milliseconds result_ttl{0};
  Milliseconds dead_letter_ttl{0};
  Milliseconds unserved_after{0};

  // Rules of the queue.
  Milliseconds lease{0};
  Milliseconds aging{0};
  std::uint64_t max_payload_bytes = 0;
  std::int64_t queue_tasks_max = 0;   // 0 = no quota
  std::uint64_t queue_bytes_max = 0;  // 0 = no quota

  // Workers and built-in tasks.
  std::int64_t workers = 0;
  bool workers_inline = false;
  std::string worker_name = {};
  std::vector<std::string> worker_queues = {};
  std::vector<std::string> worker_types = {};
  std::string files_dir = {};   // empty = `files` in the data directory
  std::string outbox_dir = {};  // empty = `outbox` in the data directory
  std::string smtp_url = {};
  std::string smtp_ca_file = {};
  std::string smtp_from = {};
  std::vector<std::string> smtp_recipient_domains = {};
  std::vector<std::string> http_request_hosts = {};
  std::vector<std::string> exec_commands = {};
  std::vector<std::string> exec_environment = {};

  // The log.
  std::string log_level = {};   // debug, info, warning, error, off
  std::string log_format = {};  // auto, json, text
  std::int64_t log_task_events_per_second = 0;

  // Client commands.
  std::string server = {};
  std::string token = {};

  /// The backoff of tasks that name none.
  Backoff backoff() const {
    return {Backoff::Kind::exponential, backoff_initial, backoff_factor, backoff_max, backoff_jitter};
  }
};

}  // namespace millrace::settings
