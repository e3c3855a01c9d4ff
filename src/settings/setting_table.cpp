#include "settings/setting_table.hpp"

#include <algorithm>
#include <iterator>

namespace millrace::settings {
namespace {

using S = Settings;

constexpr auto everywhere = Scope::serve | Scope::worker | Scope::client;
constexpr auto running = Scope::serve | Scope::worker;
constexpr auto asking = Scope::worker | Scope::client;

constexpr double kib = 1024;
constexpr double mib = 1024 * kib;
constexpr double gib = 1024 * mib;
constexpr double tib = 1024 * gib;
constexpr double second = 1000;  // milliseconds
constexpr double ten_years = static_cast<double>(duration_max.count());

constexpr std::string_view gateway = "Gateway";
constexpr std::string_view broker = "Broker";
constexpr std::string_view tasks = "Tasks that do not say themselves";
constexpr std::string_view rules = "Rules of the queue";
constexpr std::string_view work = "Workers and built-in tasks";
constexpr std::string_view logging = "Log";
constexpr std::string_view client = "Client commands";
constexpr std::string_view sources = "Where settings come from";

// clang-format off
constexpr SettingInfo table[] = {
    {.name = "listen", .member = &S::listen, .group = gateway, .default_text = "127.0.0.1:8000",
     .help = "Where to listen: `host:port`, `[v6]:port` or `unix:/path`. Repeatable. Beyond loopback it "
             "needs a token file and TLS, or `--insecure-bind`.",
     .form = Form::listen},
    {.name = "public_host", .member = &S::public_host, .group = gateway,
     .help = "Host names under which clients reach the gateway, besides loopback. Repeatable.", .form = Form::host},
    {.name = "insecure_bind", .member = &S::insecure_bind, .group = gateway, .default_text = "false",
     .help = "Listen beyond loopback without tokens or without TLS, e.g. behind a proxy that has both."},
    {.name = "tls_cert", .member = &S::tls_cert, .group = gateway, .help = "PEM file with the certificate chain.",
     .form = Form::path},
    {.name = "tls_key", .member = &S::tls_key, .group = gateway, .help = "PEM file with the private key.",
     .form = Form::path},
    {.name = "token_file", .member = &S::token_file, .group = gateway,
     .help = "File of accepted tokens, a line each: `name:role[,role]:sha256-hex` (`millrace token "
             "create`). Read again when it changes.",
     .form = Form::path},
    {.name = "cors_origin", .member = &S::cors_origin, .group = gateway,
     .help = "Origins of other web pages that may call the API. Repeatable; none by default.", .form = Form::origin},
    {.name = "dialects", .member = &S::dialects, .group = gateway, .default_text = "all",
     .help = "Which older APIs are answered: `all`, `none`, or some of `jobs`, `celery`, `tasks`.", .form = Form::name},
    {.name = "io_threads", .member = &S::io_threads, .group = gateway, .default_text = "1",
     .help = "Threads for connections.", .least = 1, .most = 64},
    {.name = "max_connections", .member = &S::max_connections, .group = gateway, .default_text = "10000",
     .help = "Open connections; further ones wait.", .least = 1, .most = 1e6},
    {.name = "max_body_bytes", .member = &S::max_body_bytes, .group = gateway, .default_text = "16MiB",
     .help = "Largest body of a request with many tasks.", .least = 64 * kib, .most = 256 * mib},
    {.name = "max_batch_items", .member = &S::max_batch_items, .group = gateway, .default_text = "10000",
     .help = "Tasks in one request.", .least = 1, .most = 10'000},
    {.name = "drain_grace", .member = &S::drain_grace, .scopes = running, .group = gateway, .default_text = "25s",
     .help = "How long a stop may take: running attempts finish, then are released.", .least = 0,
     .most = 3600 * second},
    {.name = "broker", .member = &S::broker, .scopes = everywhere, .group = broker,
     .default_text = "file:./millrace-data",
     .help = "What stores the tasks: `file:DIR` or `memory:`. Client commands use it only when it is given.",
     .form = Form::url, .secret = Secret::url, .file_variant = "broker_file"},
    {.name = "ledger", .member = &S::ledger, .scopes = running, .group = broker,
     .help = "The store that decides outcomes for an `amqp:` broker.", .form = Form::url, .secret = Secret::url,
     .file_variant = "ledger_file"},
    {.name = "durability", .member = &S::durability, .group = broker, .default_text = "disk",
     .help = "What an answer means: `disk` survives power loss, `process` a crash of the program, `memory` "
             "neither.",
     .form = Form::choice, .choices = "disk|process|memory"},
    {.name = "hot_bytes", .member = &S::hot_bytes, .group = broker, .default_text = "128MiB",
     .help = "Memory for recent and leased tasks.", .least = 4 * mib, .most = 1 * tib},
    {.name = "disk_soft_bytes", .member = &S::disk_soft_bytes, .group = broker, .default_text = "2GiB",
     .help = "New tasks are refused while less is free (or less than a tenth of the disk).", .least = 0,
     .most = 64 * tib},
    {.name = "disk_hard_bytes", .member = &S::disk_hard_bytes, .group = broker, .default_text = "512MiB",
     .help = "No task is given to workers while less is free (or less than 3 % of the disk).", .least = 0,
     .most = 64 * tib},
    {.name = "ballast_bytes", .member = &S::ballast_bytes, .group = broker, .default_text = "256MiB",
     .help = "Space held back to recover with when the disk is full; at most a twentieth of the disk; 0 = "
             "none.",
     .least = 0, .most = 64 * gib},
    {.name = "allow_unsafe_filesystem", .member = &S::allow_unsafe_filesystem, .group = broker,
     .default_text = "false", .help = "Open a data directory on a file system that may lose it (NFS, SMB, tmpfs)."},
    {.name = "max_retries", .member = &S::max_retries, .group = tasks, .default_text = "3",
     .help = "Retries after the first attempt.", .least = 0, .most = 1000},
    {.name = "backoff_initial", .member = &S::backoff_initial, .group = tasks, .default_text = "2s",
     .help = "Delay before the first retry.", .least = 0, .most = ten_years},
    {.name = "backoff_factor", .member = &S::backoff_factor, .group = tasks, .default_text = "2",
     .help = "Each further delay is longer by this factor.", .least = 1, .most = 1000},
    {.name = "backoff_max", .member = &S::backoff_max, .group = tasks, .default_text = "300s",
     .help = "Longest delay; 0 = no limit.", .least = 0, .most = ten_years},
    {.name = "backoff_jitter", .member = &S::backoff_jitter, .group = tasks, .default_text = "0.1",
     .help = "Lengthens a delay by up to this share, by chance.", .least = 0, .most = 1},
    {.name = "idempotency_ttl", .member = &S::idempotency_ttl, .group = tasks, .default_text = "1d",
     .help = "How long an idempotency key is held.", .least = 1 * second, .most = ten_years},
    {.name = "result_ttl", .member = &S::result_ttl, .group = tasks, .default_text = "1d",
     .help = "How long a completed, cancelled or expired task is kept.", .least = 0, .most = ten_years},
    {.name = "dead_letter_ttl", .member = &S::dead_letter_ttl, .group = tasks, .default_text = "forever",
     .help = "How long a failed task is kept.", .least = 1 * second, .most = ten_years, .special_text = "forever"},
    {.name = "unserved_after", .member = &S::unserved_after, .group = tasks, .default_text = "never",
     .help = "A task whose type no worker serves for so long fails with `no_handler`.", .least = 1 * second,
     .most = ten_years, .special_text = "never"},
    {.name = "lease_seconds", .member = &S::lease, .scopes = running, .group = rules, .default_text = "30",
     .help = "How long a worker may be silent before its tasks are given to another.", .least = 1 * second,
     .most = 12 * 3600 * second},
    {.name = "aging_seconds", .member = &S::aging, .group = rules, .default_text = "10",
     .help = "Head start that one step of priority gives.", .least = 0, .most = 3600 * second},
    {.name = "max_payload_bytes", .member = &S::max_payload_bytes, .group = rules, .default_text = "1MiB",
     .help = "Largest payload of a task.", .least = 1 * kib, .most = 64 * mib},
    {.name = "queue_tasks_max", .member = &S::queue_tasks_max, .group = rules, .default_text = "unlimited",
     .help = "Unfinished tasks of one queue; further ones are refused.", .least = 1, .most = 1e12,
     .special_text = "unlimited"},
    {.name = "queue_bytes_max", .member = &S::queue_bytes_max, .group = rules, .default_text = "unlimited",
     .help = "Their bytes.", .least = 1 * kib, .most = 64 * tib, .special_text = "unlimited"},
    {.name = "workers", .member = &S::workers, .scopes = running, .group = work, .default_text = "auto",
     .help = "Attempts that run at once; `auto` = one per hardware thread, 0 = none.", .least = 0, .most = 4096,
     .special_text = "auto", .special_value = automatic},
    {.name = "workers_inline", .member = &S::workers_inline, .group = work, .default_text = "false",
     .help = "Run tasks in the gateway's own process: faster, but a crash there takes the gateway along."},
    {.name = "worker_name", .member = &S::worker_name, .scopes = running, .group = work,
     .help = "Name of the worker in lists and attempts; the host's name by default.", .form = Form::name},
    {.name = "worker_queues", .member = &S::worker_queues, .scopes = running, .group = work,
     .help = "Queues to work for; all by default. Repeatable.", .form = Form::name},
    {.name = "worker_types", .member = &S::worker_types, .scopes = running, .group = work,
     .help = "Task types to work for; all built-in ones by default. Repeatable.", .form = Form::name},
    {.name = "files_dir", .member = &S::files_dir, .scopes = running, .group = work,
     .help = "Folder that `file_processing` reads; `files` in the data directory by default.", .form = Form::path},
    {.name = "outbox_dir", .member = &S::outbox_dir, .scopes = running, .group = work,
     .help = "Folder for mail while no SMTP server is set; `outbox` in the data directory by default.",
     .form = Form::path},
    {.name = "smtp_url", .member = &S::smtp_url, .scopes = running, .group = work,
     .help = "Mail server of `send_email`: `smtp://host:25`, `smtps://user:password@host:465`.", .form = Form::url,
     .secret = Secret::url, .file_variant = "smtp_url_file"},
    {.name = "smtp_ca_file", .member = &S::smtp_ca_file, .scopes = running, .group = work,
     .help = "PEM file of authorities to trust for it, instead of the system's.", .form = Form::path},
    {.name = "smtp_from", .member = &S::smtp_from, .scopes = running, .group = work,
     .default_text = "millrace@localhost", .help = "Sender of all mail."},
    {.name = "smtp_recipient_domains", .member = &S::smtp_recipient_domains, .scopes = running, .group = work,
     .help = "Domains that mail may go to; needed with `smtp_url`; `*` = every domain. Repeatable."},
    {.name = "http_request_hosts", .member = &S::http_request_hosts, .scopes = running, .group = work,
     .help = "Hosts that `http_request` may call; the task type is off without any. Repeatable."},
    {.name = "exec_commands", .member = &S::exec_commands, .scopes = running, .group = work,
     .help = "Programs that `exec` may run; the task type is off without any. Repeatable."},
    {.name = "exec_environment", .member = &S::exec_environment, .scopes = running, .group = work,
     .help = "Names of variables that those programs see. Repeatable."},
    {.name = "log_level", .member = &S::log_level, .scopes = everywhere, .group = logging, .default_text = "info",
     .help = "Least severe lines that are written.", .form = Form::choice, .choices = "debug|info|warning|error|off"},
    {.name = "log_format", .member = &S::log_format, .scopes = everywhere, .group = logging, .default_text = "auto",
     .help = "`auto` is text on a terminal and JSON lines elsewhere.", .form = Form::choice,
     .choices = "auto|json|text"},
    {.name = "log_task_events_per_second", .member = &S::log_task_events_per_second, .scopes = running,
     .group = logging, .default_text = "500",
     .help = "Task events written one by one; further ones are counted and summed up once a second.", .least = 0,
     .most = 1e6},
    {.name = "server", .member = &S::server, .scopes = asking, .group = client,
     .default_text = "http://127.0.0.1:8000", .help = "The gateway to talk to.", .form = Form::http_url,
     .secret = Secret::url},
    {.name = "token", .member = &S::token, .scopes = asking, .group = client, .help = "Token to show to it.",
     .secret = Secret::whole, .file_variant = "client_token_file"},
    {.name = "config", .member = &S::config, .scopes = everywhere, .group = sources,
     .help = "TOML file with settings, by the names of this page.", .form = Form::path},
    {.name = "env_file", .member = &S::env_file, .scopes = everywhere, .group = sources,
     .help = "File with lines `NAME=value`, read as if they were in the environment.", .form = Form::path},
    {.name = "legacy_env", .member = &S::legacy_env, .scopes = everywhere, .group = sources, .default_text = "true",
     .help = "Also read the variables of older systems, such as `REDIS_HOST`."},
};
// clang-format on

}  // namespace

std::span<const SettingInfo> setting_table() noexcept { return table; }

const SettingInfo* find_setting(std::string_view name) noexcept {
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [&](const auto& info) { return info.name == name; });
  return found == std::end(table) ? nullptr : found;
}

const SettingInfo* find_file_variant(std::string_view name) noexcept {
  if (name.empty()) return nullptr;
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [&](const auto& info) { return info.file_variant == name; });
  return found == std::end(table) ? nullptr : found;
}

bool is_list(const SettingInfo& info) noexcept {
  return std::holds_alternative<std::vector<std::string> Settings::*>(info.member);
}

bool is_boolean(const SettingInfo& info) noexcept { return std::holds_alternative<bool Settings::*>(info.member); }

}  // namespace millrace::settings
