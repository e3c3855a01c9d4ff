#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "broker/messages.hpp"
#include "codec/fingerprint.hpp"
#include "engine/block_table.hpp"
#include "engine/events.hpp"
#include "engine/line.hpp"
#include "engine/names.hpp"
#include "engine/task_slot.hpp"

namespace millrace::engine {

struct QueueState {
  bool paused = false;
  std::uint64_t by_status[status_count + 1] = {};
  std::uint64_t payload_bytes = 0;  // of unfinished tasks
  std::uint64_t enqueued_total = 0;
  std::uint64_t completed_total = 0;
  std::uint64_t failed_total = 0;
  std::vector<LineIndex> lines = {};

  std::uint64_t unfinished() const { return by_status[1] + by_status[2] + by_status[3] + by_status[4]; }
};

struct TypeState {
  EngineTime declared_at = 0;  // when a worker last declared it; 0 = never
  EngineTime declared_written = 0;
  std::vector<LineIndex> lines = {};
};

/// One instance of a worker. Identity and recent requests are journaled; the rest is what it said last.
struct WorkerState {
  struct Request {
    std::string id = {};
    std::vector<std::uint64_t> fences = {};
  };
  static constexpr std::size_t requests_kept = 4;

  std::string instance = {};
  std::uint32_t name = 0;  // in worker_names
  bool inside_server = false;
  bool forgotten = false;
  std::int64_t lease_ms = 30'000;
  std::deque<Request> requests = {};  // newest last, those that were given leases
  std::uint32_t leases = 0;
  std::vector<std::uint64_t> stopping = {};   // fences of those whose task was asked to stop
  std::vector<StopRequest> void_leases = {};  // attempts the server ended, to be told once
  EngineTime seen_engine = 0;
  std::int64_t first_seen = 0;  // wall
  std::int64_t last_seen = 0;
  WorkerInfo info = {};
  std::vector<QueueName> queues = {};
  std::vector<TaskType> types = {};
};

/// The right of one worker to run one attempt. Only in memory: a restart gives remote workers a full term.
struct LeaseState {
  Seq seq = 0;
  std::uint32_t worker = 0;
  std::int64_t lease_ms = 0;
  EngineTime granted = 0;
  EngineTime expires = 0;
  EngineTime deadline = 0;         // of the attempt's timeout; 0 = none
  EngineTime cancel_deadline = 0;  // 0 = no cancel requested, else it is among its worker's `stopping`
  bool stop_told = false;          // its worker has been asked to stop
};

/// Who holds a client's task id or an idempotency key.
struct Alias {
  Seq seq = 0;
  std::int64_t held_until = 0;  // wall: the window's end; the record may hold it longer
  Fingerprint fingerprint = {};
  std::uint8_t final_status = 0;  // of a task whose record is gone; 0 = the record is there
  bool erased = false;
  std::string task_id = {};  // of an idempotency key: the task's id
};

std::string task_id_alias(std::string_view task_id);
std::string key_alias(std::string_view queue, std::string_view key);
std::string encode_alias(const Alias& alias);
std::optional<Alias> decode_alias(std::string_view bytes);

/// Everything the engine knows. Changed by `apply` alone, which obeys and never refuses: what it is told has happened.
///
/// Threads: none; one owner. Determinism: the same events in the same order with the same `now` give the same state.
class State {
 public:
  using AliasMap = boost::unordered_flat_map<std::string, Alias>;

  // ---- what happened ----
  Now now = {};
  void apply(NameAdded event);
  void apply(LineAdded event);
  void apply(WorkerSeen event);
  void apply(TypeDeclared event);
  void apply(QueuePaused event);
  void apply(Accepted event);
  void apply(BecameDue event);
  void apply(RunNow event);
  void apply(Granted event);
  void apply(Started event);
  void apply(Settled event);
  void apply(CancelRequested event);
  void apply(Ended event);
  void apply(Requeued event);
  void apply(Removed event);
  void apply(Opened event);
  void apply(WorkerForgotten event);
  void apply(WorkerReplaced event);
  void apply(TimePassed event) { now = event.now; }

  /// What a running attempt says of itself; not journaled, so a restart may lose it.
  void report(Seq seq, std::optional<Progress> progress, std::vector<std::string> logs, const TaskLimits& limits);

  // ---- residency ----
  /// Reads a block that is not resident; set during recovery, when waiting is fine. Live, whoever decides an event has
  /// made its block resident first.
  std::function<std::unique_ptr<Block>(std::uint64_t block, std::uint64_t version)> load_now = {};
  /// Takes the image of a block that the checkpoint under way has not reached yet, before it changes.
  std::function<void(Block&)> take_image = {};

  Block* resident(std::uint64_t block);
  const TaskSlot* peek(Seq seq);  // null if its block is not resident or the slot is empty
  /// Puts a block that was read into memory: lines, timers, leases learn of its tasks.
  void adopt(std::unique_ptr<Block> block);
  /// Takes a clean block without leases out of memory.
  void evict(std::uint64_t block);
  /// Takes a block without live slots, all of whose numbers were given out, off the table.
  void forget_empty(std::uint64_t block);

  /// Gives back a lease that a checkpoint names, at open.
  void restore_lease(Seq seq, std::uint32_t worker, EngineTime granted);

  // ---- reading ----
  std::int64_t rank_of(const TaskSlot& slot) const;
  bool in_line(const Place& place, LineIndex line);  // whether this place in that line is still held
  bool served(std::uint32_t type) const;
  /// The earliest engine and wall times at which some slot of the block needs attention.
  void wakes(const Block& block, EngineTime& engine, std::int64_t& wall) const;
  BlockSummary summary_of(const Block& block) const;
  const Alias* find_alias(const std::string& key) const;  // among those not yet stored; may be `erased`

  // ---- data; changed by apply, recovery and checkpoint only ----
  std::int64_t aging_ms = 10'000;
  std::uint64_t group = 0;  // the newest commit group whose events are in here
  Seq next_seq = 1;
  std::uint64_t last_fence = 0;
  std::uint64_t event_sequence = 0;
  std::uint64_t generation = 0;
  std::uint64_t removed_total = 0;
  std::uint64_t purged_total = 0;
  std::uint64_t lease_lost_total = 0;
  std::uint64_t crashed_total = 0;

  NameTable queue_names, type_names, worker_names;
  std::vector<QueueState> queues;
  std::vector<TypeState> types;
  std::vector<std::unique_ptr<Line>> lines;
  std::vector<std::unique_ptr<WorkerState>> workers;
  std::vector<std::uint32_t> forgotten_workers;  // numbers that may be used again
  boost::unordered_flat_map<std::string, std::uint32_t> worker_index;
  boost::unordered_flat_map<std::uint64_t, LeaseState> leases;  // by fence
  BlockTable blocks;
  AliasMap aliases_new;       // since the checkpoint under way, or the last one, began
  AliasMap aliases_flushing;  // being stored by the checkpoint under way
  std::vector<std::uint64_t> dirty_blocks;
  std::vector<Seq> dead_blobs;  // removed tasks with values that stand apart
  std::set<std::uint64_t> resident_set;
  std::size_t resident_bytes = 0;

  /// (time, block): when to look at a block's slots. May hold stale entries.
  using Timer = std::pair<std::int64_t, std::uint64_t>;
  using Timers = HintHeap<Timer>;
  Timers engine_timers, wall_timers;
  std::vector<LineIndex> woken_lines;  // got ready tasks since the last look; may repeat
  EngineTime lease_scan_due = INT64_MAX;

  LineIndex line_index(std::uint32_t queue, std::uint32_t type) const;  // UINT32_MAX if there is none
  void arm(Block& block);
  void add_cold_line(LineIndex line, Line::Cold cold);
  void add_engine_timer(EngineTime time, std::uint64_t block);
  void add_wall_timer(std::int64_t time, std::uint64_t block);

 private:
  struct Touched {
    Block& block;
    TaskSlot& slot;
    std::size_t extra_before;
  };
  Block& block_for_change(Seq seq);
  Touched touch(Seq seq);
  void touched(Touched& touched);
  void set_status(Block& block, TaskSlot& slot, Status status);
  void leave_status(Block& block, TaskSlot& slot);
  void enter_line(TaskSlot& slot, Seq seq);
  void leave_lines(const Block& block);
  void make_ready(Touched& touched, Seq seq, EngineTime ready_at);
  void start_over(TaskSlot& slot);
  void drop_lease(TaskSlot& slot);
  void enlist(std::uint32_t number, WorkerSeen seen);
  void add_lease(const TaskSlot& slot, Seq seq, std::uint32_t worker, EngineTime granted);
  void arm_at(Block& block, EngineTime engine, std::int64_t wall);
  void remember_alias(const TaskSlot& slot, Seq seq, const Fingerprint& fingerprint);
  void release_aliases(const TaskSlot& slot, Seq seq);

  boost::unordered_flat_map<std::uint64_t, LineIndex> line_by_pair_;
};

}  // namespace millrace::engine
