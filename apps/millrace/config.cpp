#include <CLI/CLI.hpp>

#include <millrace/connect.hpp>

#include "codec/json_write.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "settings/command_line.hpp"
#include "terminal.hpp"

namespace millrace::app {
namespace {

struct ConfigFlags {
  settings::Flags settings = {};
  bool json = false;
};

std::string config_json(const settings::Resolution& resolution) {
  std::string out;
  {
    codec::ObjectWriter object(out);
    codec::append_list(object.key("settings"), resolution.values, [&](const settings::ResolvedSetting& value) {
      codec::ObjectWriter item(out);
      item.text("name", value.info->name);
      item.text("value", value.shown);
      item.text("origin", value.origin);
    });
    const auto texts = [&](std::string_view name, const std::vector<std::string>& list) {
      codec::append_list(object.key(name), list, [&](const std::string& text) { codec::append_string(out, text); });
    };
    texts("notes", resolution.notes);
    texts("warnings", resolution.warnings);
    texts("problems", resolution.problems);
  }
  return out + "\n";
}

std::string config_text(const settings::Resolution& resolution) {
  Table table({"SETTING", "VALUE", "FROM"});
  for (const auto& value : resolution.values)
    table.add({std::string(value.info->name), value.shown.empty() ? "-" : harmless(value.shown), value.origin});
  return table.text();
}

int show(const ConfigFlags& flags) {
  auto inputs = settings::process_inputs(settings::Scope::serve, flags.settings);
  inputs.broker_schemes = connect_schemes();
  const auto resolution = settings::resolve(inputs);
  if (flags.json) {
    print(config_json(resolution));
    return resolution.ok() ? exit_code::done : exit_code::usage;
  }
  print(config_text(resolution));
  return accept_settings(resolution) ? exit_code::done : exit_code::usage;
}

}  // namespace

void add_config(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("config", "Settings");
  group->require_subcommand(1);
  auto flags = std::make_shared<ConfigFlags>();
  auto* command = group->add_subcommand("show", "Show every setting of serve with its value and where that came from");
  settings::add_flags(*command, settings::Scope::serve, flags->settings);
  command->add_flag("--json", flags->json, "Answer in JSON, for programs");
  command->footer("Takes all options of serve, to see what they would change. Secrets are never shown.");
  command->callback([flags, &chosen] { chosen.run = [flags] { return show(*flags); }; });
}

}  // namespace millrace::app
