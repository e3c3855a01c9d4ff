#include "storage/recover.hpp"

#include <CLI/CLI.hpp>

#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "storage/data_directory.hpp"
#include "terminal.hpp"

namespace millrace::app {
namespace {

struct RecoverFlags {
  std::string directory = "./millrace-data";
  bool accept_loss = false;
  bool allow_unsafe_filesystem = false;
};

int recover(const RecoverFlags& flags) {
  std::error_code error;
  if (!std::filesystem::is_directory(flags.directory, error))
    return complain({ErrorCode::not_found, flags.directory + " is no data directory", {}});
  storage::DataDirectoryOptions options;
  options.program = "millrace recover";
  options.allow_unsafe_filesystem = flags.allow_unsafe_filesystem;
  const auto directory = storage::DataDirectory::open(flags.directory, options);
  if (!directory) return complain(directory.error());
  const auto accepted = flags.accept_loss ? storage::AcceptLoss::all : storage::AcceptLoss::torn_tail;
  const auto report = storage::recover_rocks_store(directory->database(), accepted);
  if (!report) return complain(report.error());
  for (const auto& line : report->lines) print_line(line);
  if (report->usable) return print_line("The store is usable: millrace serve opens it."), exit_code::done;
  print_line("The store is damaged.");
  if (!flags.accept_loss)
    print_line(
        "With --accept-loss it is made usable without what cannot be read, which may hold acknowledged tasks. "
        "Copy the directory first.");
  return exit_code::damaged;
}

}  // namespace

void add_recover(CLI::App& app, Chosen& chosen) {
  auto flags = std::make_shared<RecoverFlags>();
  auto* command = app.add_subcommand("recover", "Examine a data directory that refuses to open; repair it at a price");
  command->add_option("directory", flags->directory, "Data directory [./millrace-data]");
  command->add_flag("--accept-loss", flags->accept_loss, "Give up what cannot be read; without this only looks");
  command->add_flag("--allow-unsafe-filesystem", flags->allow_unsafe_filesystem, "Also on NFS, tmpfs and the like");
  command->callback([flags, &chosen] { chosen.run = [flags] { return recover(*flags); }; });
}

}  // namespace millrace::app
