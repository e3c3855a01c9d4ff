#include <CLI/CLI.hpp>

#include "client_session.hpp"
#include "codec/json_record.hpp"
#include "codec/json_write.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "connect/broker_url.hpp"
#include "exit_code.hpp"
#include "settings/command_line.hpp"
#include "storage/data_directory.hpp"
#include "storage/disk_space.hpp"
#include "storage/filesystem_kind.hpp"
#include "terminal.hpp"

namespace millrace::app {
namespace {

struct Finding {
  bool ok = true;
  std::string what = {};
  std::string found = {};
};

/// The directory of a `file:` broker, empty for every other.
std::filesystem::path directory_of(const std::string& broker) {
  const auto url = parse_broker_url(broker);
  if (!url || url->scheme != "file") return {};
  std::string_view address = url->address;
  if (address.starts_with("//")) address.remove_prefix(2);
  return address;
}

Finding examine_space(const std::filesystem::path& directory, const settings::Settings& settings) {
  const auto space = storage::read_space(directory);
  if (!space) return {false, "disk", space.error().detail};
  storage::DiskSpaceOptions options;
  options.soft_bytes = settings.disk_soft_bytes;
  options.hard_bytes = settings.disk_hard_bytes;
  const storage::DiskSpace disk(directory, options);
  const auto soft = disk.soft_watermark(space->total_bytes);
  return {space->free_bytes > soft, "disk",
          bytes_text(space->free_bytes) + " free of " + bytes_text(space->total_bytes) +
              "; new tasks are refused below " + bytes_text(soft)};
}

/// What can be seen of a data directory without touching it.
std::vector<Finding> examine_directory(const std::filesystem::path& directory, const settings::Settings& settings) {
  std::vector<Finding> findings;
  std::error_code error;
  if (!std::filesystem::exists(directory, error))
    return {{true, "data directory", directory.string() + " does not exist yet"}};
  findings.push_back({true, "data directory", std::filesystem::absolute(directory, error).string()});
  const auto holder = storage::DataDirectory::holder(directory);
  findings.push_back({true, "open in",
                      holder ? holder->program + " (pid " + std::to_string(holder->pid) + ") " + holder->url
                             : std::string("no process")});
  if (const auto kind = storage::filesystem_kind(directory); kind)
    findings.push_back(
        {kind->safe(), "file system", kind->safe() ? "fit for durable data" : kind->name + ": " + kind->problem});
  findings.push_back(examine_space(directory, settings));
  const auto mode = std::filesystem::status(directory, error).permissions();
  const bool is_private =
      (mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all)) == std::filesystem::perms::none;
  findings.push_back(
      {is_private, "permissions", is_private ? "its owner's only" : "others may look into it; chmod 700"});
  return findings;
}

std::string guarantees_text(const Guarantees& guarantees) {
  Table table({"", "SETTING", "VALUE", "MEANING"});
  for (const auto& setting : guarantees.settings)
    table.add({setting.ok ? "ok" : "!!", setting.name, setting.value, setting.note});
  auto text = "broker      " + guarantees.broker + ", " + guarantees.version + "\ndurability  " +
              std::string(to_string(guarantees.durability)) + "\n\n" + table.text();
  for (const auto& degradation : guarantees.degradations) text.append("!!  ").append(degradation).append("\n");
  return text;
}

std::string findings_text(const std::vector<Finding>& findings) {
  Table table({"", "CHECK", "FOUND"});
  for (const auto& finding : findings) table.add({finding.ok ? "ok" : "!!", finding.what, finding.found});
  return table.text();
}

std::string report_json(const Guarantees& guarantees, const Capabilities& capabilities,
                        const std::vector<Finding>& findings) {
  std::string out;
  {
    codec::ObjectWriter object(out);
    codec::write_guarantees(object.key("guarantees"), guarantees, capabilities);
    codec::append_list(object.key("checks"), findings, [&](const Finding& finding) {
      codec::ObjectWriter item(out);
      item.text("check", finding.what);
      item.boolean("ok", finding.ok);
      item.text("found", finding.found);
    });
  }
  return out + "\n";
}

bool all_well(const Guarantees& guarantees, const std::vector<Finding>& findings) {
  return guarantees.degradations.empty() && std::ranges::all_of(findings, &Finding::ok) &&
         std::ranges::all_of(guarantees.settings, &Guarantees::Setting::ok);
}

int doctor(const ClientFlags& flags) {
  auto inputs = settings::process_inputs(settings::Scope::client, flags.settings);
  inputs.broker_schemes = connect_schemes();
  const auto resolution = settings::resolve(inputs);
  if (!accept_settings(resolution)) return exit_code::usage;
  const auto directory = directory_of(resolution.settings.broker);
  std::vector<Finding> findings;
  if (!directory.empty()) findings = examine_directory(directory, resolution.settings);

  // A directory that some process has open is asked through that process.
  auto asked = resolution;
  if (resolution.given("broker") && !directory.empty()) {
    const auto holder = storage::DataDirectory::holder(directory);
    if (!holder || holder->url.empty()) return print(findings_text(findings)), exit_code::done;
    asked.settings.server = holder->url;
    for (auto& value : asked.values)
      if (value.info->name == "broker") value.source = settings::Source::standard;
  }
  const auto session = Session::open(asked);
  if (!session) return complain(session.error());
  const auto guarantees = session->broker().guarantees();
  if (flags.json) {
    print(report_json(guarantees, session->broker().capabilities(), findings));
  } else {
    print_line("asked       " + session->address());
    print(guarantees_text(guarantees) + "\n" + findings_text(findings));
  }
  return all_well(guarantees, findings) ? exit_code::done : exit_code::failed;
}

}  // namespace

void add_doctor(CLI::App& app, Chosen& chosen) {
  auto flags = std::make_shared<ClientFlags>();
  auto* command = app.add_subcommand("doctor", "Show what is promised now, and what is less than usual");
  add_client_flags(*command, *flags);
  command->footer("Status 1 when something is less than usual.");
  command->callback([flags, &chosen] { chosen.run = [flags] { return doctor(*flags); }; });
}

}  // namespace millrace::app
