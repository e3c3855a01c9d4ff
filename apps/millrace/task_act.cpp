#include <CLI/CLI.hpp>

#include "broker/blocking.hpp"
#include "client_session.hpp"
#include "codec/json_record.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "task_text.hpp"

namespace millrace::app {
namespace {

struct ActFlags {
  ClientFlags client = {};
  std::vector<std::string> tasks = {};
};

int act(Action action, const ActFlags& flags) {
  return with_session(flags.client, [&](Session& session) {
    ActRequest request{action, {flags.tasks.begin(), flags.tasks.end()}};
    const auto reply = blocking<ActReply>([&](auto done) { session.broker().act(request, std::move(done)); });
    if (!reply) return complain(reply.error());
    int status = exit_code::done;
    if (flags.client.json) {
      std::string out;
      codec::write_act_reply(out, *reply, request.tasks);
      print_line(out);
    }
    for (std::size_t i = 0; i < reply->items.size(); ++i) {
      const auto& item = reply->items[i];
      if (!item) {
        status = exit_code::failed;
        if (!flags.client.json) complain({item.error().code, flags.tasks[i] + ": " + item.error().detail, {}});
      } else if (!flags.client.json) {
        print_line(flags.tasks[i] + "  " + std::string(to_string(item->status)) +
                   (item->requested ? "  (its worker was asked to stop)" : ""));
      }
    }
    return status;
  });
}

void add(CLI::App& app, const char* name, const char* help, Action action, Chosen& chosen) {
  auto flags = std::make_shared<ActFlags>();
  auto* command = app.add_subcommand(name, help);
  command->add_option("task", flags->tasks, "Task ids, at most 1000")->required()->expected(1, 1000);
  add_client_flags(*command, flags->client);
  command->callback([flags, action, &chosen] { chosen.run = [flags, action] { return act(action, *flags); }; });
}

}  // namespace

void add_task_cancel(CLI::App& app, const char* name, Chosen& chosen) {
  add(app, name, "Cancel waiting tasks; ask the workers of running ones to stop", Action::cancel, chosen);
}

void add_task_actions(CLI::App& app, Chosen& chosen) {
  add(app, "requeue", "Put tasks that have ended back in line", Action::requeue, chosen);
  add(app, "run-now", "Make scheduled or retrying tasks ready now", Action::run_now, chosen);
}

void add_task_get(CLI::App& app, const char* name, Chosen& chosen) {
  struct GetFlags {
    ClientFlags client = {};
    std::string id = {};
  };
  auto flags = std::make_shared<GetFlags>();
  auto* command = app.add_subcommand(name, "Show a task with its attempts");
  command->add_option("task", flags->id, "Task id")->required();
  add_client_flags(*command, flags->client);
  command->callback([flags, &chosen] {
    chosen.run = [flags] {
      return with_session(flags->client, [&](Session& session) {
        const auto record = session.client().try_get(flags->id);
        if (!record) return complain(record.error());
        print(flags->client.json ? record_json(*record) + "\n" : record_text(*record));
        return exit_code::done;
      });
    };
  });
}

}  // namespace millrace::app
