#include "access/token.hpp"

#include <CLI/CLI.hpp>

#include "access/token_file.hpp"
#include "codec/json_write.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "settings/value.hpp"
#include "terminal.hpp"

namespace millrace::app {
namespace {

struct TokenFlags {
  std::string name = {};
  std::vector<std::string> roles = {};
  std::string file = {};
  bool json = false;
};

Result<std::vector<access::Role>> roles_of(const std::vector<std::string>& texts) {
  std::vector<access::Role> roles;
  for (const auto& text : texts) {
    for (const auto& word : settings::split_list(text)) {
      const auto role = access::parse_role(word);
      if (!role)
        return Error{ErrorCode::invalid_argument, "--role '" + word + "' is none of " + access::role_names(), {}};
      roles.push_back(*role);
    }
  }
  return roles;
}

int create(const TokenFlags& flags) {
  const auto roles = roles_of(flags.roles);
  if (!roles) return complain(roles.error());
  const auto token = access::create_token(flags.name, *roles);
  if (!token) return complain(token.error());
  if (!flags.file.empty()) {
    if (const auto added = access::add_token_line(flags.file, token->file_line); !added) return complain(added.error());
  }
  if (flags.json) {
    std::string out;
    {
      codec::ObjectWriter object(out);
      object.text("token", token->secret);
      object.text("line", token->file_line);
    }
    print_line(out);
    return exit_code::done;
  }
  print_line(token->secret);
  const auto hint =
      flags.file.empty() ? "put this line into the token file: " + token->file_line : "added to " + flags.file;
  std::fprintf(stderr, "The token is shown this once and kept nowhere; %s\n", hint.c_str());
  return exit_code::done;
}

}  // namespace

void add_token(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("token", "Tokens");
  group->require_subcommand(1);
  auto flags = std::make_shared<TokenFlags>();
  auto* command = group->add_subcommand("create", "Make a token; the server keeps only its digest");
  command->add_option("name", flags->name, "Who it is for; stands in logs and in the audit")->required();
  command->add_option("--role", flags->roles, "Some of " + access::role_names())
      ->required()
      ->type_name("ROLE")
      ->allow_extra_args(false);
  command->add_option("--file", flags->file, "Add its line to this token file")->type_name("PATH");
  command->add_flag("--json", flags->json, "Answer in JSON, for programs");
  command->callback([flags, &chosen] { chosen.run = [flags] { return create(*flags); }; });
}

}  // namespace millrace::app
