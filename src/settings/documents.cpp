#include "settings/documents.hpp"

#include "settings/legacy_env.hpp"
#include "settings/value.hpp"

namespace millrace::settings {
namespace {

std::string code(std::string_view text) { return text.empty() ? "" : "`" + std::string(text) + "`"; }

std::string in_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

std::string used_by(const SettingInfo& info) {
  if (info.scopes.has(Scope::serve) && info.scopes.has(Scope::client)) return "all";
  std::string text = info.scopes.has(Scope::serve) ? "serve" : "";
  if (info.scopes.has(Scope::worker)) text.append(text.empty() ? "worker" : ", worker");
  if (info.scopes.has(Scope::client)) text.append(text.empty() ? "client" : ", client");
  return text;
}

std::string meaning(const SettingInfo& info) {
  auto text = std::string(info.help);
  if (const auto limits = limits_text(info); !limits.empty() && info.form != Form::choice) {
    text.append(" (").append(limits).append(")");
  } else if (info.form == Form::choice) {
    text.append(" (").append(limits).append(")");
  }
  return text;
}

void append_row(std::string& out, const SettingInfo& info) {
  auto flag = flag_of(info.name);
  if (is_boolean(info) && info.default_text == "true") flag = "--no-" + flag.substr(2);
  out.append("| ").append(code(info.name)).append(" | ").append(code(flag)).append(" | ");
  out.append(code(variable_of(info.name)));
  if (!info.file_variant.empty()) out.append("<br>").append(code(variable_of(info.file_variant)));
  out.append(" | ").append(code(info.default_text)).append(" | ").append(used_by(info)).append(" | ");
  out.append(in_cell(meaning(info))).append(" |\n");
}

constexpr std::string_view introduction = R"(# Configuration

Every setting can be given as a flag, as a variable `MILLRACE_…`, or as a key of a TOML file. The first of these that names
it wins:

1. the flag: `--max-retries 5`
2. the environment: `MILLRACE_MAX_RETRIES=5`
3. the env-file named by `--env-file .env` (see `.env.example`)
4. the TOML file named by `--config millrace.toml`: `max_retries = 5`
5. variables of older systems, see the end of this page
6. the default

`millrace config show` prints each value with its source. Settings that may hold a secret can be read from a file: give
its path in the variable that ends in `_FILE`. A list is separated by commas, or the flag is repeated, or it is a list in
TOML. Lengths of time are written `250ms`, `30s`, `5min`, `12h`, `1d`, or as a number of seconds; sizes `64KiB`, `16MiB`,
`2GiB`, or as a number of bytes. An empty variable counts as not set. A value that breaks its limit stops the program,
which names every such value at once; an unknown `MILLRACE_…` variable is only warned of.
)";

constexpr std::string_view fixed_limits = R"(
## What is fixed

10,000 queues, 10,000 task types, and 100,000 lines (`lines_max`): the pairs of a queue and a task type that ever had a task. A
task that would need one more is refused with `invalid_argument`, which names the field and the limit; what is there goes on.
For the soft watermark of the disk the next segment of the log, 32 MiB that are taken in one piece, counts as used already.
)";

constexpr std::string_view legacy_introduction = R"(
## Variables of older systems

They are read last, and not at all with `--no-legacy-env`. `CELERY_BROKER_URL`, else `RABBITMQ_HOST`, else `REDIS_HOST`
chooses the broker when nothing else names one, and `serve` prints that it did; if `./millrace-data` exists it stops
instead and asks for an explicit `--broker`. Where one variable is set, the others of its group have the defaults below.
`FLASK_…` is ignored, and so is what Kubernetes sets for services (`REDIS_PORT=tcp://…`, `MILLRACE_SERVICE_HOST`).

| variable | default | becomes |
| --- | --- | --- |
)";

}  // namespace

std::string configuration_markdown() {
  std::string out(introduction);
  std::string_view group;
  for (const auto& info : setting_table()) {
    if (info.group != group) {
      group = info.group;
      out.append("\n## ").append(group).append("\n\n");
      out.append(
          "| setting | flag | variable | default | used by | meaning |\n| --- | --- | --- | --- | --- | --- |\n");
    }
    append_row(out, info);
  }
  out.append(fixed_limits);
  out.append(legacy_introduction);
  for (const auto& info : legacy_table()) {
    out.append("| ").append(code(info.variable)).append(" | ").append(code(info.default_text)).append(" | ");
    out.append(in_cell(std::string(info.meaning))).append(" |\n");
  }
  return out;
}

std::string env_example() {
  std::string out =
      "# Settings of Millrace for `millrace serve --env-file .env`. Each line shows the default; remove the # to "
      "change it.\n"
      "# docs/configuration.md tells more.\n";
  std::string_view group;
  for (const auto& info : setting_table()) {
    if (info.name == "env_file") continue;  // cannot name itself
    if (info.group != group) {
      group = info.group;
      out.append("\n# --- ").append(group).append(" ---\n");
    }
    out.append("\n# ").append(meaning(info)).append("\n#").append(variable_of(info.name)).append("=");
    out.append(info.default_text).append("\n");
    if (!info.file_variant.empty()) out.append("#").append(variable_of(info.file_variant)).append("=\n");
  }
  return out;
}

}  // namespace millrace::settings
