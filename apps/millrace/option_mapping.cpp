#include "option_mapping.hpp"

#include <unistd.h>

namespace millrace::app {

engine::EngineOptions engine_options(const settings::Settings& settings) {
  engine::EngineOptions options;
  options.durability = parse_durability(settings.durability).value_or(Durability::disk);
  options.limits.payload_bytes_max = settings.max_payload_bytes;
  options.aging = settings.aging;
  options.queue_tasks_max = static_cast<std::uint64_t>(settings.queue_tasks_max);
  options.queue_bytes_max = settings.queue_bytes_max;
  options.allow_unsafe_filesystem = settings.allow_unsafe_filesystem;
  options.disk.soft_bytes = settings.disk_soft_bytes;
  options.disk.hard_bytes = settings.disk_hard_bytes;
  options.disk.ballast_bytes = settings.ballast_bytes;
  options.hot_bytes = settings.hot_bytes;
  return options;
}

http::HttpServerOptions http_options(const settings::Settings& settings) {
  http::HttpServerOptions options;
  options.listen = settings.listen;
  options.tls = {.certificate_chain = settings.tls_cert, .private_key = settings.tls_key};
  options.refuse = {.public_hosts = settings.public_host, .allowed_origins = settings.cors_origin};
  options.connections_max = static_cast<std::size_t>(settings.max_connections);
  options.io_threads = static_cast<std::size_t>(settings.io_threads);
  return options;
}

Result<server::GatewayOptions> gateway_options(const settings::Settings& settings) {
  server::GatewayOptions options;
  options.version = MILLRACE_VERSION;
  options.limits.payload_bytes_max = settings.max_payload_bytes;
  options.batch_items_max = static_cast<std::size_t>(settings.max_batch_items);
  options.batch_bytes_max = settings.max_body_bytes;
  options.defaults.max_retries = static_cast<int>(settings.max_retries);
  options.defaults.backoff = settings.backoff();
  options.defaults.idempotency_ttl = settings.idempotency_ttl;
  options.defaults.result_ttl = settings.result_ttl;
  options.defaults.dead_letter_ttl = settings.dead_letter_ttl;
  options.defaults.unserved_after = settings.unserved_after;
  std::string words;
  for (const auto& word : settings.dialects) words.append(words.empty() ? "" : ",").append(word);
  auto dialects = server::DialectSet::parse(words);
  if (!dialects) return std::move(dialects).error();
  options.dialects = *dialects;
  return options;
}

tasks::BuiltinOptions builtin_options(const settings::Settings& settings, const std::filesystem::path& home) {
  tasks::BuiltinOptions options;
  options.files_dir = settings.files_dir.empty() ? (home / "files").string() : settings.files_dir;
  options.outbox_dir = settings.outbox_dir.empty() ? (home / "outbox").string() : settings.outbox_dir;
  options.smtp_url = settings.smtp_url;
  options.smtp_ca_file = settings.smtp_ca_file;
  options.smtp_from = settings.smtp_from;
  options.smtp_recipient_domains = settings.smtp_recipient_domains;
  options.http_hosts = settings.http_request_hosts;
  options.exec_commands = settings.exec_commands;
  options.exec_environment = settings.exec_environment;
  return options;
}

std::string worker_name(const settings::Settings& settings) {
  if (!settings.worker_name.empty()) return settings.worker_name;
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0 || host[0] == '\0') return "worker";
  return host;
}

}  // namespace millrace::app
