#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "backends/redis/judging.hpp"
#include "backends/redis/link.hpp"
#include "backends/redis/queue_calls.hpp"
#include "backends/redis/redis_broker.hpp"
#include "codec/fingerprint.hpp"
#include "codec/own_id.hpp"
#include "codec/token_sealer.hpp"

namespace millrace::redis {

/// So many items a script is given at most.
inline constexpr std::size_t items_max = 100;
/// Of a token's number are the task's; the queue's stands above.
inline constexpr std::uint64_t number_bits = 48;
inline constexpr std::string_view served_key = "millrace:served";
inline constexpr std::string_view workers_key = "millrace:workers";

/// The tasks of one type in one queue, as this gateway knows them.
struct Line {
  std::uint16_t type = 0;
  bool may_be_ready = true;      // false: it was empty, and nobody told otherwise
  std::uint64_t times_told = 0;  // that it is ready
};

struct Queue {
  Queue(std::uint16_t its_number, std::string its_name, bool tagged)
      : number(its_number), name(std::move(its_name)), keys(name, tagged) {}

  const std::uint16_t number;
  const std::string name;
  const QueueKeys keys;
  std::vector<Line> lines = {};
  std::int64_t due = 0;  // server time at which something falls due, as far as this gateway knows; 0 = now
  bool sweeping = false;

  Line* line(std::uint16_t type);
};

struct Type {
  std::string name = {};
  std::int64_t declared_at = 0;  // server time, newest that is known here
  std::int64_t declared_written = 0;
};

/// A worker as this gateway knows it.
struct Worker {
  std::uint32_t number = 0;
  std::string instance = {};
  std::string written = {};  // what Redis holds of it, without times
  std::int64_t first_seen = 0;
  std::int64_t last_written = 0;
  std::string last_request = {};
  std::set<std::string> stop_queues = {};  // where stop requests for it may stand
  std::set<std::uint64_t> told = {};       // fences whose stop it was told
};

/// The lines of one call, in the order in which scripts get them.
class LineSet {
 public:
  std::size_t add(std::uint16_t type);
  const std::vector<std::uint16_t>& numbers() const { return numbers_; }

 private:
  std::vector<std::uint16_t> numbers_;
};

/// A task to be changed, and what makes the change of it; judged again whenever somebody else was faster.
struct Changing {
  /// Nothing: it is left as it is.
  using Judge = std::function<std::optional<Change>(const TaskState& state, LineSet& lines)>;

  Queue* queue = nullptr;
  TaskState state = {};
  Judge judge = {};
  bool keeps_names = false;  // its id and key go on, though the record goes
  bool changed = false;
  bool gone = false;
};

/// What stands under a task's id.
struct IdHold {
  std::int64_t reserved_at = 0;
  std::uint16_t queue = 0;
  Number number = 0;
  Fingerprint fingerprint = {};
  std::uint8_t final_status = 0;  // of a task whose record is gone; 0 = it may be there
  std::string bytes = {};         // as read

  std::string encode() const;  // without `reserved_at`
  static std::optional<IdHold> decode(const std::string& bytes);
};
/// What stands under an idempotency key.
struct KeyHold {
  Number number = 0;
  Fingerprint fingerprint = {};
  std::uint8_t final_status = 0;
  std::string task_id = {};  // of one that is gone

  /// Without the number, which `enqueue` puts first.
  std::string encode() const;
  static std::optional<KeyHold> decode(const std::string& bytes);
};

struct Located {
  enum class Kind : std::uint8_t { missing, gone, found };
  Kind kind = Kind::missing;
  Queue* queue = nullptr;
  TaskState state = {};
  IdHold hold = {};
};

/// What a gateway knows and does, on one thread. Each call of the broker is a coroutine here.
class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(boost::asio::io_context& context, RedisOptions options);

  Task<Result<void>> start();
  Task<Result<EnqueueReply>> enqueue(EnqueueRequest request);
  Task<Result<WorkReply>> work(WorkRequest request);
  Task<Result<ActReply>> act(ActRequest request);
  Task<Result<ControlReply>> control(ControlRequest request);
  Task<Result<TaskRecord>> find(FindRequest request);
  Task<Result<TaskRecord>> watch(WatchRequest request);
  Task<Result<Stats>> stats();
  Task<Result<TaskPage>> list(ListRequest request);
  Task<Result<std::uint64_t>> sweep_all();

  void stop_waiting(const std::string& instance);
  void drain();
  void close();
  /// Looks at what the clock says; called by the timer and when the clock was moved.
  void tick();

  const RedisOptions& options() const { return options_; }
  /// As the server answered at the start. Threads: any.
  Guarantees guarantees() const;

 private:
  struct Submission;
  struct Waiter;
  struct Watcher;
  struct Granting;

  // core.cpp
  QueueScope scope(const Queue& queue) const { return {queue.keys, channel_, options_.aging}; }
  std::vector<std::string> names_of(const LineSet& lines) const;
  void saw_time(WallTime wall);
  std::int64_t server_now() const;
  void due_at(Queue& queue, std::int64_t time);
  void arm_timer();
  Task<Result<void>> check_server();
  Task<void> learn_durability(std::string info);
  Task<Result<void>> load_names();
  Task<Result<std::vector<std::uint16_t>>> number_names(std::string key, std::size_t most,
                                                        std::vector<std::string> names);
  Task<Result<void>> name_all(std::vector<std::string> queues, std::vector<std::string> types);
  Task<Result<void>> name_lines(std::vector<std::pair<Queue*, std::uint16_t>> lines);
  Queue* add_queue(std::uint16_t number, const std::string& name);
  void add_type(std::uint16_t number, const std::string& name);
  Line& add_line(Queue& queue, std::uint16_t type);
  Queue* queue(std::string_view name);
  Queue* queue(std::uint16_t number);
  std::optional<std::uint16_t> type(std::string_view name) const;
  const std::string& type_name(std::uint16_t number) const;
  Task<bool> is_served(std::uint16_t type);
  Task<Result<void>> load_served();
  void heard(const std::string& message);
  Task<void> heard_of_unknown_line(std::string queue, std::uint16_t type);
  void subscribed();
  static std::string untagged(std::string name);
  void spawn(Task<void> task);

  // core_change.cpp
  Task<Result<void>> change(std::vector<Changing*> tasks);
  std::vector<Command> names_gone(const Changing& changing);
  std::vector<Command> names_back(const Changing& changing);
  void mark_ready(Queue& queue, std::uint16_t type);
  void note_due(Queue& queue, const Change& change, std::int64_t engine);
  Task<Result<std::vector<Located>>> locate(std::vector<std::string> ids);
  Task<Result<void>> read_records(std::vector<Located>& found);
  Task<Result<void>> read_details(std::vector<TaskState*> states, std::vector<Queue*> queues);
  static std::string_view payload_of(const TaskState& state);
  TaskId id_of(const Queue& queue, const TaskState& state) const;

  // core_due.cpp
  Task<void> sweep(Queue& queue);
  Task<Result<void>> judge_named(Queue& queue, std::int64_t engine, std::vector<NamedTask> named);
  Task<Result<void>> send_children(Changing& parent, std::vector<TaskId>* ids);

  std::optional<Change> look_change(const TaskState& state, LineSet& lines, std::int64_t engine, bool served);

  // core_act.cpp
  Task<Result<ControlReply>> purge(Queue& queue);

  // core_enqueue.cpp
  Submission prepare(const TaskSpec& spec);
  Task<Result<void>> submit(std::vector<Submission*> submissions, bool atomic, bool check_quota);
  static std::optional<Error> clash_within(const std::vector<Submission*>& submissions);
  Task<Result<void>> reserve(std::vector<Submission*> submissions);
  Task<Result<void>> accept(std::vector<Submission*> submissions, bool atomic, bool check_quota);
  Task<Result<void>> resolve(Submission& submission, bool check_quota);
  Task<Result<void>> answer_held_key(Submission& submission, KeyHold hold);
  Task<Result<void>> rerun(Submission& submission, Located earlier);
  void answer_duplicate(Submission& submission, const Queue& queue, const TaskState& state);
  void answer_gone(Submission& submission, std::string task_id, std::uint8_t status, const Fingerprint& fingerprint);
  Task<Result<void>> release_id(const Submission& submission);

  // core_work.cpp
  Task<Result<Worker*>> meet(const WorkRequest& request);
  Task<Result<void>> report(WorkRequest& request, WorkReply& reply);
  Task<Result<void>> settle(WorkRequest& request, WorkReply& reply);
  Task<Result<void>> read_leases(std::vector<Granting*> leases);
  Task<Result<void>> change_leases(std::vector<Granting*> leases);
  Task<Result<void>> grant(const WorkRequest& request, Worker& worker, std::vector<Lease>& leases);
  Task<Result<Granted>> grant_from(Queue& queue, std::vector<std::uint16_t> types, GrantLimits limits);
  std::vector<std::uint16_t> ready_lines(const Queue& queue, const WorkRequest& request, bool all) const;
  bool may_serve(const WorkRequest& request) const;
  Lease make_lease(const Queue& queue, const GrantedTask& granted, std::int64_t engine);
  Task<Result<void>> read_stops(Worker& worker, std::vector<StopRequest>& stops, bool& untold);
  Task<Result<WorkReply>> wait_for_work(WorkRequest request, Worker& worker, WorkReply reply);
  void end_wait(const std::string& instance);
  void end_waits_that_are_over();
  void end_all_waits();
  Milliseconds until_next_wait_ends() const;
  void finished(std::uint16_t queue, Number number);
  void dispatch();
  Task<void> dispatch_all();
  std::optional<LeaseKey> open_token(const LeaseToken& token, Queue*& queue);

  // core_read.cpp
  Task<Result<TaskRecord>> record_of(Queue& queue, TaskState state, bool payload, bool result);
  Task<Result<void>> load_worker_names(std::vector<std::uint32_t> numbers);
  bool matches(const ListRequest& request, const Queue& queue, const TaskState& state) const;

  boost::asio::io_context& context_;
  const RedisOptions options_;
  std::shared_ptr<const Clock> clock_;
  Random random_;
  std::shared_ptr<Connection> commands_;
  std::shared_ptr<Connection> events_;
  Link link_;
  std::string channel_ = {};
  std::string version_ = {};
  Durability durability_ = Durability::memory;
  mutable std::mutex guarantees_mutex_;
  Guarantees guarantees_ = {};
  std::unique_ptr<TokenSealer> sealer_ = {};
  boost::asio::steady_timer timer_;
  bool draining_ = false;
  bool closed_ = false;

  std::int64_t server_wall_ = 0;  // of the newest answer
  SteadyTime server_seen_{0};     // when it came
  std::map<std::uint16_t, std::unique_ptr<Queue>> queues_ = {};
  std::unordered_map<std::string, Queue*> queues_by_name_ = {};
  std::map<std::uint16_t, Type> types_ = {};
  std::unordered_map<std::string, std::uint16_t> types_by_name_ = {};
  std::unordered_map<std::string, std::unique_ptr<Worker>> workers_ = {};
  std::unordered_map<std::uint32_t, Worker*> workers_by_number_ = {};
  std::unordered_map<std::uint32_t, std::string> worker_names_ = {};
  std::int64_t served_loaded_ = 0;
  SteadyTime swept_{0};

  /// By queue and fence: as they were granted here. Fences of different queues may be the same.
  std::map<std::pair<std::uint16_t, std::uint64_t>, TaskState> leases_ = {};
  std::list<Waiter*> waiters_ = {};
  std::map<std::pair<std::uint16_t, Number>, std::vector<Watcher*>> watchers_ = {};
  bool dispatching_ = false;
};

}  // namespace millrace::redis
