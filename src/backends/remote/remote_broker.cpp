#include "backends/remote/remote_broker.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <set>

#include "backends/remote/call_pool.hpp"
#include "backends/remote/rest_call.hpp"
#include "backends/remote/submit.hpp"
#include "codec/json_check.hpp"
#include "codec/json_cursor.hpp"
#include "codec/json_record.hpp"
#include "codec/json_work.hpp"
#include "codec/json_write.hpp"
#include "codec/time_text.hpp"

namespace millrace::remote {
namespace {

constexpr Milliseconds wait_max{30'000};

Error malformed_answer() {
  return Error{ErrorCode::malformed, "the server's answer is none that we know; is it another version?"};
}

std::string seconds_text(Milliseconds duration) {
  std::string text;
  codec::append_seconds(text, duration);
  return text;
}

/// A query that grows parameter by parameter, percent-encoded.
class Target {
 public:
  explicit Target(std::string path) : text_(std::move(path)) {}
  Target& add(std::string_view name, std::string_view value) {
    text_.append(first_ ? "?" : "&").append(name).push_back('=');
    first_ = false;
    constexpr char digits[] = "0123456789ABCDEF";
    for (const char c : value) {
      const bool plain =
          (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '.' || c == '_';
      if (plain) {
        text_.push_back(c);
      } else {
        const auto byte = static_cast<unsigned char>(c);
        text_.push_back('%');
        text_.push_back(digits[byte >> 4]);
        text_.push_back(digits[byte & 15]);
      }
    }
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool first_ = true;
};

/// `/api/v1/tasks/{id}`. Errors: not_found for a text that names no task.
Result<std::string> task_target(const TaskId& id, std::string_view rest = {}) {
  if (!valid_name(id.view())) return Error{ErrorCode::not_found, "there is no task with this id"};
  return std::string("/api/v1/tasks/").append(id.view()).append(rest);
}

/// One member of a small answer.
template <class Read>
auto member(std::string_view json, std::string_view name, Read&& read)
    -> decltype(read(std::declval<codec::Cursor&>())) {
  decltype(read(std::declval<codec::Cursor&>())) value;
  if (!codec::check_json(json)) return value;
  codec::Cursor at(json);
  at.members([&](std::string_view key) {
    if (key == name) {
      value = read(at);
    } else {
      at.skip();
    }
    return true;
  });
  return value;
}
std::optional<std::string> text_member(std::string_view json, std::string_view name) {
  return member(json, name, [](codec::Cursor& at) { return at.text(); });
}

class RemoteBroker final : public Broker, public Inspector {
 public:
  RemoteBroker(std::string url, RemoteOptions options)
      : call_(std::move(url), std::move(options.http), options.retry_for), pool_(options.threads_max) {}
  ~RemoteBroker() override { close(); }

  void enqueue(EnqueueRequest request, Completion<EnqueueReply> done) override {
    run(std::move(done), [this, request = std::move(request)]() mutable { return submit(call_, std::move(request)); });
  }

  void work(WorkRequest request, Completion<WorkReply> done) override {
    if (draining_) request.want = 0, request.wait = Milliseconds(0);
    const auto wait = request.wait.count() > 0 ? begin_wait(request.worker.instance) : 0;
    run(std::move(done), [this, wait, request = std::move(request)]() {
      auto reply = work_now(request);
      if (wait != 0) end_wait(wait);
      return reply;
    });
  }

  /// A call that says and wants nothing ends the wait. It may overtake a wait that was sent just before, so it is
  /// repeated, a few times, while that one goes on.
  void stop_waiting(const std::string& instance) override {
    run(Completion<WorkReply>([](const Result<WorkReply>& reply) { ignore(reply, "the wait ends by itself"); }),
        [this, instance, newest = newest_wait()]() {
          WorkRequest request;
          request.worker.instance = instance;
          auto reply = work_now(request);
          for (auto pause = Milliseconds(5); pause < Milliseconds(500); pause *= 2) {
            if (waits_ended(instance, newest, pause)) break;
            reply = work_now(request);
          }
          return reply;
        });
  }

  void act(ActRequest request, Completion<ActReply> done) override {
    run(std::move(done), [this, request = std::move(request)]() { return act_now(request); });
  }

  void control(ControlRequest request, Completion<ControlReply> done) override {
    run(std::move(done), [this, request = std::move(request)]() { return control_now(request); });
  }

  void find(FindRequest request, Completion<TaskRecord> done) override {
    run(std::move(done), [this, request = std::move(request)]() -> Result<TaskRecord> {
      auto target = task_target(request.task);
      if (!target) return std::move(target).error();
      auto answer = call_("GET", *target, {}, Repeat::always);
      if (!answer) return std::move(answer).error();
      auto record = codec::read_record(answer->body);
      if (record && !request.payload) record->spec.payload.clear();
      if (record && !request.result) record->result.reset();
      return record;
    });
  }

  void watch(WatchRequest request, Completion<TaskRecord> done) override {
    run(std::move(done), [this, request = std::move(request)]() -> Result<TaskRecord> {
      const auto wait = std::clamp(request.wait, Milliseconds(0), wait_max);
      auto target = task_target(request.task, "/result?wait=" + seconds_text(wait));
      if (!target) return std::move(target).error();
      auto answer = call_("GET", *target, {}, Repeat::always, wait);
      if (!answer) return std::move(answer).error();
      return codec::read_record(answer->body);
    });
  }

  void stats(Completion<Stats> done) override {
    run(std::move(done), [this]() -> Result<Stats> {
      auto answer = call_("GET", "/api/v1/stats", {}, Repeat::always);
      if (!answer) return std::move(answer).error();
      return codec::read_stats(answer->body);
    });
  }

  void list(ListRequest request, Completion<TaskPage> done) override {
    run(std::move(done), [this, request = std::move(request)]() { return list_now(request); });
  }

  /// The server's; if it cannot be asked, the reason is among the degradations.
  Guarantees guarantees() const override {
    auto answer = call_("GET", "/api/v1/guarantees", {}, Repeat::unserved);
    auto read = answer ? codec::read_guarantees(answer->body) : Result<Guarantees>(answer.error());
    if (read) return *std::move(read);
    return {.broker = "http", .degradations = {"the server cannot be asked: " + to_string(read.error())}};
  }
  Capabilities capabilities() const override { return {}; }
  Inspector* inspector() override { return this; }

  void drain() override {
    draining_ = true;
    std::set<std::string> waiting;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, instance] : waits_) waiting.insert(instance);
    }
    for (const auto& instance : waiting) stop_waiting(instance);
  }

  void close() override {
    call_.cancel();
    pool_.stop();
  }

 private:
  /// Runs the blocking `call` on a thread of ours and answers with what it returns.
  template <class T, class Call>
  void run(Completion<T> done, Call call) {
    // Shared, because a job that the pool does not take must still answer.
    auto answer = std::make_shared<Completion<T>>(std::move(done));
    UniqueFunction<void()> job([answer, call = std::move(call)]() mutable { (*answer)(call()); });
    if (!pool_.run(job)) (*answer)(Error{ErrorCode::unavailable, "the connection is closed"});
  }

  std::uint64_t begin_wait(const std::string& instance) {
    const std::lock_guard lock(mutex_);
    waits_.emplace(++waits_begun_, instance);
    return waits_begun_;
  }
  void end_wait(std::uint64_t id) {
    {
      const std::lock_guard lock(mutex_);
      waits_.erase(id);
    }
    wait_ended_.notify_all();
  }
  std::uint64_t newest_wait() {
    const std::lock_guard lock(mutex_);
    return waits_begun_;
  }
  /// Whether the instance's waits up to `newest` are over, or are within `pause`.
  bool waits_ended(const std::string& instance, std::uint64_t newest, Milliseconds pause) {
    std::unique_lock lock(mutex_);
    return wait_ended_.wait_for(lock, pause, [&] {
      return std::ranges::none_of(waits_,
                                  [&](const auto& wait) { return wait.first <= newest && wait.second == instance; });
    });
  }

  Result<WorkReply> work_now(const WorkRequest& request) const {
    std::string body;
    codec::write_work_request(body, request);
    auto answer = call_("POST", "/api/v1/work", body, Repeat::never, std::min(request.wait, wait_max));
    if (!answer) return std::move(answer).error();
    return codec::read_work_reply(answer->body);
  }

  Result<ActReply> act_now(const ActRequest& request) const {
    if (request.tasks.size() == 1 && request.action == Action::cancel) return cancel_one(request.tasks.front());
    std::string body;
    {
      codec::ObjectWriter object(body);
      object.text("action", to_string(request.action));
      codec::append_list(object.key("tasks"), request.tasks,
                         [&](const TaskId& id) { codec::append_string(body, id.view()); });
    }
    auto answer = call_("POST", "/api/v1/tasks/actions", body, Repeat::unserved);
    if (!answer) return std::move(answer).error();
    return codec::read_act_reply(answer->body);
  }

  /// The way that needs the least permission.
  Result<ActReply> cancel_one(const TaskId& id) const {
    ActReply reply;
    auto target = task_target(id, "/cancel");
    if (!target) return reply.items.emplace_back(std::move(target).error()), reply;
    auto answer = call_("POST", *target, {}, Repeat::unserved);
    if (!answer) {
      const bool of_the_task = error_info(answer.error().code).retry == Retry::no;
      if (!of_the_task) return std::move(answer).error();
      return reply.items.emplace_back(std::move(answer).error()), reply;
    }
    const auto status = parse_status(text_member(answer->body, "status").value_or(""));
    if (!status) return malformed_answer();
    reply.durability =
        parse_durability(text_member(answer->body, "durability").value_or("")).value_or(Durability::memory);
    reply.items.emplace_back(Acted{.task_id = id, .status = *status, .requested = answer->status == 202});
    return reply;
  }

  Result<ControlReply> control_now(const ControlRequest& request) {
    if (!valid_name(request.queue.view()))
      return Error{ErrorCode::invalid_argument, "the queue's name is none", "queue"};
    const auto target = "/api/v1/queues/" + request.queue.str();
    switch (request.control) {
      case Control::pause:
      case Control::resume: {
        const auto verb = request.control == Control::pause ? "/pause" : "/resume";
        auto answer = call_("POST", target + verb, {}, Repeat::always);
        if (!answer) return std::move(answer).error();
        return ControlReply{};
      }
      case Control::purge:
        return purge(target);
    }
    return Error{ErrorCode::internal, "no such control"};
  }

  /// Starts a purge and follows the operation until it has ended.
  Result<ControlReply> purge(const std::string& queue) {
    auto started = call_("POST", queue + "/purge", {}, Repeat::unserved);
    if (!started) return std::move(started).error();
    auto body = std::move(started->body);
    for (;;) {
      const auto state = text_member(body, "state").value_or("");
      if (state == "done") {
        const auto changed = member(body, "changed", [](codec::Cursor& at) { return at.natural(); });
        return ControlReply{.affected = changed.value_or(0)};
      }
      const auto id = text_member(body, "operation_id").value_or("");
      if (state == "failed" || state == "stopped" || !valid_name(id)) {
        return Error{ErrorCode::unavailable, "the purge ended as '" + state + "'"};
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      auto answer = call_("GET", "/api/v1/operations/" + id, {}, Repeat::always);
      if (!answer) return std::move(answer).error();
      body = std::move(answer->body);
    }
  }

  Result<TaskPage> list_now(const ListRequest& request) const {
    Target target("/api/v1/tasks");
    if (request.queue) target.add("queue", request.queue->view());
    std::string statuses;
    for (const auto status : request.statuses) statuses.append(statuses.empty() ? "" : ",").append(to_string(status));
    if (!statuses.empty()) target.add("status", statuses);
    if (request.type) target.add("task_type", request.type->view());
    if (!request.id_prefix.empty()) target.add("id_prefix", request.id_prefix);
    if (request.created_after) target.add("created_after", codec::time_text(*request.created_after));
    if (request.created_before) target.add("created_before", codec::time_text(*request.created_before));
    target.add("limit", std::to_string(request.limit));
    if (!request.cursor.empty()) target.add("cursor", request.cursor);
    if (request.payload || request.result) {
      target.add("include", !request.result ? "payload" : !request.payload ? "result" : "payload,result");
    }
    auto answer = call_("GET", target.text(), {}, Repeat::always);
    if (!answer) return std::move(answer).error();
    return codec::read_page(answer->body);
  }

  mutable RestCall call_;
  std::atomic<bool> draining_ = false;
  std::mutex mutex_;
  std::condition_variable wait_ended_;
  std::map<std::uint64_t, std::string> waits_;  // under way, with their instance
  std::uint64_t waits_begun_ = 0;
  CallPool pool_;  // last: its threads use the rest
};

}  // namespace

std::shared_ptr<Broker> make_remote_broker(std::string url, RemoteOptions options) {
  return std::make_shared<RemoteBroker>(std::move(url), std::move(options));
}

}  // namespace millrace::remote
