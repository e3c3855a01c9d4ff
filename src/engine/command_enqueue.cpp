#include "engine/commands.hpp"

namespace millrace::engine {
namespace {

class EnqueueCommand final : public Command {
 public:
  EnqueueCommand(PreparedEnqueue request, Completion<EnqueueReply> done)
      : request_(std::move(request)), done_(std::move(done)) {
    reply_.items.reserve(request_.tasks.size());
  }

  bool run(Core& core) override {
    reply_.durability = core.options().durability;
    if (request_.atomic && reply_.items.empty()) {
      if (!read_first(core)) return false;
      if (const auto error = first_refusal(core)) {
        for (std::size_t i = 0; i < request_.tasks.size(); ++i) reply_.items.emplace_back(*error);
        core.answer<EnqueueReply>(std::move(done_), std::move(reply_));
        return true;
      }
    }
    while (reply_.items.size() < request_.tasks.size()) {
      auto item = core.accept(request_.tasks[reply_.items.size()], !request_.atomic);
      if (!item) return false;
      reply_.items.push_back(std::move(*item));
    }
    core.answer<EnqueueReply>(std::move(done_), std::move(reply_));
    return true;
  }

  void fail(const Error& error) override { done_(Result<EnqueueReply>(error)); }

 private:
  /// Brings every task that a name refers to into memory before the first one is accepted.
  bool read_first(Core& core) {
    bool ready = true;
    for (const auto& task : request_.tasks) ready = core.read_earlier(task) && ready;
    return ready;
  }

  std::optional<Error> first_refusal(Core& core) const {
    std::uint64_t bytes = 0;
    std::map<std::string, Alias> batch;
    for (std::size_t i = 0; i < request_.tasks.size(); ++i) {
      const auto& task = request_.tasks[i];
      auto error = core.refused(task, i, bytes);
      if (!error) error = core.clash(task, batch);
      bytes += task.payload_bytes;
      if (!error) continue;
      error->detail = "nothing was accepted, because of task " + std::to_string(i) + ": " + error->detail;
      return error;
    }
    return std::nullopt;
  }

  PreparedEnqueue request_;
  Completion<EnqueueReply> done_;
  EnqueueReply reply_ = {};
};

class PlainCommand final : public Command {
 public:
  explicit PlainCommand(UniqueFunction<void(Core&)> body) : body_(std::move(body)) {}
  bool run(Core& core) override {
    body_(core);
    return true;
  }
  void fail(const Error&) override {}

 private:
  UniqueFunction<void(Core&)> body_;
};

}  // namespace

std::unique_ptr<Command> enqueue_command(PreparedEnqueue request, Completion<EnqueueReply> done) {
  return std::make_unique<EnqueueCommand>(std::move(request), std::move(done));
}

std::unique_ptr<Command> plain_command(UniqueFunction<void(Core&)> body) {
  return std::make_unique<PlainCommand>(std::move(body));
}

}  // namespace millrace::engine
