#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "broker/broker.hpp"
#include "codec/content.hpp"
#include "codec/token_sealer.hpp"
#include "domain/accounting.hpp"
#include "domain/wall_watch.hpp"
#include "engine/checkpoint.hpp"
#include "engine/jobs.hpp"
#include "engine/journal.hpp"
#include "engine/metrics.hpp"
#include "engine/state.hpp"
#include "engine/submission.hpp"

namespace millrace::engine {

class Core;

/// One call on its way through the core.
class Command {
 public:
  virtual ~Command() = default;
  /// Decides. False if blocks have to be read first (`Core::need` was told): it is run again when they are there, and
  /// must go on where it stopped.
  virtual bool run(Core& core) = 0;
  /// The call cannot be served.
  virtual void fail(const Error& error) = 0;
};

struct CoreOptions {
  TaskLimits limits = {};
  Durability durability = Durability::disk;
  std::int64_t aging_ms = 10'000;
  std::size_t hot_bytes = std::size_t{128} << 20;        // memory for tasks, before blocks go
  std::size_t checkpoint_bytes = std::size_t{48} << 20;  // of journal between checkpoints
  std::int64_t checkpoint_ms = 60'000;
  std::uint64_t queue_tasks_max = 0;  // unfinished tasks per queue; 0 = no quota
  std::uint64_t queue_bytes_max = 0;
  std::uint32_t queues_max = 10'000;
  std::uint32_t types_max = 10'000;
  std::uint32_t lines_max = 100'000;  // pairs of a queue and a task type
};

/// What admission control says now; set from outside, not journaled.
struct Admission {
  bool refuse_enqueue = false;  // soft disk watermark
  bool refuse_grants = false;   // hard disk watermark
};

/// One commit group, ready to be written. Its replies may be released once it, and all before it, are durable.
struct Group {
  std::uint64_t number = 0;  // 0: nothing to write, only replies
  std::string key = {};
  std::string record = {};
  std::uint64_t transitions = 0;
  std::vector<UniqueFunction<void(const Error*)>> replies = {};  // null: durable
};

/// The embedded engine without threads, clocks or I/O: takes commands, decides events, applies them, and collects them
/// into commit groups. Deterministic: the same calls with the same `Now`, seeds and look-ups give the same groups.
///
///   open(now) · execute(command)* · tick() · seal() → Group      in a loop; `take_jobs` and `job_done` beside it
///
/// Threads: none; one owner.
class Core {
 public:
  /// Looks an alias up in the store.
  using AliasLookup = std::function<std::optional<Alias>(const std::string& key)>;

  Core(CoreOptions options, const TokenSealer::Secret& secret, std::uint64_t seed, AliasLookup lookup,
       metrics::Registry& registry);

  /// The state to recover into, before anything else is called.
  State& state() { return state_; }
  Checkpoint& checkpoint() { return checkpoint_; }
  /// After recovery: raises the generation, takes back the leases of workers that lived in the process that stopped,
  /// and gives every other lease a full term from now.
  void opened(Now now);

  /// Begins a group if none is open, and takes the time for what is decided next. Engine time never goes back.
  void open(Now now);
  void execute(std::unique_ptr<Command> command);
  /// Does what time, loads and waiting calls ask for. Bounded work.
  void tick();
  bool has_work_to_seal() const {
    return group_open_ && (!events_.empty() || !replies_.empty() || (checkpoint_wanted_ && !checkpoint_.running()));
  }
  std::size_t group_bytes() const { return events_.size(); }
  Group seal();
  /// Groups up to this one are on disk.
  void committed(std::uint64_t group) { committed_ = std::max(committed_, group); }

  std::vector<Job> take_jobs();
  void job_done(JobResult result);
  /// Engine time at which `tick` has something to do, at the latest; INT64_MAX if nothing is due.
  EngineTime next_wake(Now now) const;
  /// There is more to do right away, without new input.
  bool busy() const {
    return (more_due_ && (due_blocks_left_ > 0 || events_.empty())) || !yielded_.empty() || checkpoint_.can_go_on() ||
           eviction_ != Eviction::done;
  }

  void set_admission(Admission admission) {
    if (admission_.refuse_grants && !admission.refuse_grants)
      for (LineIndex line = 0; line < state_.lines.size(); ++line) state_.woken_lines.push_back(line);
    admission_ = admission;
  }
  void drain();
  /// Ends everything that waits with `error`.
  void fail_all(const Error& error);
  void request_checkpoint() { checkpoint_wanted_ = true; }
  /// Calls once when everything that was accepted until now is in a finished checkpoint, or there is nothing to store.
  void on_checkpoint_done(UniqueFunction<void()> done) { checkpoint_done_ = std::move(done); }

  // ---- for commands: reading ----
  const CoreOptions& options() const { return options_; }
  Now now() const { return state_.now; }
  const WallWatch& wall_watch() const { return wall_watch_; }
  Metrics& metrics() { return metrics_; }
  bool draining() const { return draining_; }
  const Admission& admission() const { return admission_; }
  TokenSealer& sealer() { return sealer_; }
  /// Asks for a block; false if it is being read, true if it is resident or does not exist.
  bool need(std::uint64_t block);

  enum class Find { found, missing, gone, loading };
  /// The slot of a task id: made by us, or an alias.
  Find find_task(std::string_view task_id, Seq& seq, std::uint8_t* final_status = nullptr);
  TaskId id_of(const TaskSlot& slot, Seq seq) const;
  TaskRecord record_of(const TaskSlot& slot, Seq seq, bool payload, bool result) const;
  WallTime wall_of(EngineTime engine) const;

  // ---- for commands: deciding ----
  template <class Event>
  void emit(Event event) {
    event_writer_.bytes.byte(Event::kind);
    event.write(event_writer_);
    group_transitions_ += transitions_of(event);
    if constexpr (std::is_same_v<Event, Removed>) tell_watchers(event.seqs);
    state_.apply(std::move(event));
  }
  template <class T>
  void answer(Completion<T> done, Result<T> value) {
    replies_.push_back([done = std::move(done), value = std::move(value)](const Error* failed) mutable {
      done(failed != nullptr ? Result<T>(*failed) : std::move(value));
    });
  }

  /// Accepts, or answers as a duplicate. Nothing while a block has to be read.
  std::optional<Result<Enqueued>> accept(Submission& submission, bool check_quota);
  /// Whether `submission` could be accepted now; the error it would get. Looks up nothing.
  std::optional<Error> refused(const Submission& submission, std::uint64_t tasks_before,
                               std::uint64_t bytes_before) const;
  /// Brings the tasks that the names of `submission` refer to into memory; false while one is being read.
  bool read_earlier(const Submission& submission);
  /// The error that the names of `submission` would give, when they clash with earlier tasks, or with those of the same
  /// batch, which it joins. After `read_earlier`.
  std::optional<Error> clash(const Submission& submission, std::map<std::string, Alias>& batch);
  /// Accepts a child of a settled task: its names may make it a duplicate, but nothing refuses it.
  TaskId accept_child(Submission& submission);
  Milliseconds renew(const LeaseKey& lease, std::optional<Progress> progress, std::vector<std::string> logs);
  std::uint32_t queue_number(const std::string& name);
  std::uint32_t type_number(const std::string& name);
  LineIndex line_number(std::uint32_t queue, std::uint32_t type);
  std::uint32_t worker_number(const WorkRequest& request);
  /// Ends the running attempt by the rules.
  struct Report {
    TaskError said = {};
    std::string result = {};
    Milliseconds delay{0};
    bool by_server = false;
  };
  Status settle(const LeaseKey& lease, const Ending& ending, Report report);
  void end_waiting_task(Seq seq, Status status, TaskError error);
  void cancel_running(Seq seq);
  /// Leases up to `want` tasks; `blocked` is set if the next one in rank has to be read first.
  std::vector<Lease> grant(const WorkRequest& request, std::uint32_t worker, bool& blocked);
  std::vector<Lease> leases_of(std::uint32_t worker, const std::vector<std::uint64_t>& fences);
  /// What this worker should stop; what it was not told yet ends its waits.
  std::vector<StopRequest> stops_of(std::uint32_t worker);
  bool has_untold_stops(std::uint32_t worker) const;

  struct Waiter {
    WorkRequest request = {};
    std::uint32_t worker = 0;
    EngineTime until = 0;
    Completion<WorkReply> done = {};
  };
  void wait_for_work(Waiter waiter);
  void end_wait(const std::string& instance);
  WorkReply empty_work_reply() const;

  struct Watcher {
    EngineTime until = 0;
    Completion<TaskRecord> done = {};
  };
  void watch(Seq seq, Watcher watcher);
  /// Runs the command again in the next group.
  void yield(std::unique_ptr<Command> command) { yielded_.push_back(std::move(command)); }

 private:
  void read_wall();
  void run_due_timers();
  void look_at_block(Block& block);
  void reclaim_leases();
  void dispatch();
  void end_waits_that_are_over();
  void answer_watchers();
  void tell_watchers(const std::vector<Seq>& seqs) {
    if (watchers_.empty()) return;
    for (const auto seq : seqs)
      if (watchers_.contains(seq)) finished_watched_.push_back(seq);
  }
  bool many_blocks_are_dirty() const;
  std::size_t images_now() const;
  std::uint64_t line_head() const;
  void prefetch();
  void begin_eviction();
  void evict_some();
  bool may_evict(const BlockTable::Entry& entry) const;
  void rerun(std::vector<std::unique_ptr<Command>>& commands);
  void forget_silent_workers();
  bool matches(const Waiter& waiter, const Line& line) const;
  Lease make_lease(Seq seq);
  std::optional<Alias> lookup(const std::string& key);
  bool has_line(const Submission& submission) const;
  struct LineHead;
  LineHead head_of(LineIndex index);

  CoreOptions options_;
  State state_;
  Checkpoint checkpoint_;
  TokenSealer sealer_;
  Random random_;
  AliasLookup lookup_;
  Metrics metrics_;
  Admission admission_ = {};

  WallWatch wall_watch_ = {};
  std::int64_t schedule_wall_ = 0;  // what `run_at`, `expires_at` and windows of names go by; `now.wall` but for jumps
  bool group_open_ = false;
  Now group_now_ = {};  // when its first event was decided
  std::string events_ = {};
  EventWriter event_writer_{events_};
  std::uint64_t group_transitions_ = 0;
  std::vector<UniqueFunction<void(const Error*)>> replies_ = {};
  std::uint64_t committed_ = 0;

  std::vector<std::unique_ptr<Command>> parked_ = {};
  std::vector<std::unique_ptr<Command>> yielded_ = {};
  std::list<Waiter> waiters_ = {};
  std::unordered_map<Seq, std::vector<Watcher>> watchers_ = {};
  std::vector<Seq> finished_watched_ = {};
  std::vector<LineIndex> granted_lines_ = {};
  LoadJob loads_ = {};
  std::vector<Job> jobs_ = {};
  bool jobs_pending_ = false;  // write or finish jobs under way
  bool draining_ = false;
  bool more_due_ = false;
  /// Bounds a group when very many tasks are due at once, however often the core looks before it can be sealed.
  static constexpr int due_blocks_per_group = 64;
  int due_blocks_left_ = due_blocks_per_group;
  enum class Eviction : std::uint8_t { finished, waiting, done } eviction_ = Eviction::done;
  std::uint64_t eviction_at_ = 0;
  std::size_t passed_bytes_ = 0;  // in memory when the last pass was over
  bool loaded_ = false;
  bool checkpoint_wanted_ = false;
  UniqueFunction<void()> checkpoint_done_ = {};
  std::size_t journal_bytes_ = 0;  // since the last checkpoint began
  std::size_t forget_at_ = 0;
  EngineTime checkpoint_at_ = 0;  // when the last one began
};

}  // namespace millrace::engine
