#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <millrace/result.hpp>
#include <millrace/task.hpp>

namespace millrace {

// ---- enqueue ------------------------------------------------------------------------------------------------------

struct EnqueueRequest {
  std::vector<TaskSpec> tasks = {};  // at most 10,000
  bool atomic = false;               // all or none; at most 100 tasks of one queue
};

/// What became of one submitted task.
struct Enqueued {
  TaskId task_id = {};
  Status status = Status::queued;
  WallTime created_at = {};
  bool duplicate = false;        // an earlier submission with this id or key stands; `status` is that task's
  bool payload_differs = false;  // ... and its content was another one
  std::vector<std::string> warnings = {};
};

struct EnqueueReply {
  std::vector<Result<Enqueued>> items = {};  // in request order
  Durability durability = Durability::memory;
};

// ---- work: started, settle, extend, lease ---------------------------------------------------------------------------

/// Who works. `instance` names one run of one process; the rest is for people.
struct WorkerInfo {
  std::string instance = {};  // 1 to 128 bytes of the name alphabet
  std::string name = {};
  std::string host = {};
  std::int64_t pid = 0;
  std::string version = {};
  std::uint32_t slots = 0;
  double cpu = 0;  // share of one core
  std::uint64_t rss_bytes = 0;
  bool inside_server =
      false;  // lives in the serving process: its leases end with it (set by the server, never by a peer)
};

/// The end of one attempt.
struct Settle {
  LeaseToken token = {};
  Outcome outcome = Outcome::completed;  // every outcome but lease_lost
  std::string result = {};               // JSON text; completed only; empty = null
  TaskError error = {};                  // failed, timed_out, crashed
  bool permanent = false;                // failed only: to the dead letters now
  bool undecodable = false;              // failed only: the payload could not be read (reason `decode`)
  Milliseconds delay{0};                 // deferred only
  std::vector<TaskSpec> children = {};   // enqueued in the same atomic write, if this settle is recorded
};

struct Extend {
  LeaseToken token = {};
  std::optional<Progress> progress = {};
  std::vector<std::string> logs = {};
};

struct WorkRequest {
  WorkerInfo worker = {};
  std::string request_id = {};           // repeating (instance, request_id) gives the same answer; may be empty
  std::vector<LeaseToken> started = {};  // these attempts' handlers have begun
  std::vector<Settle> settle = {};       // each list at most 1,000
  std::vector<Extend> extend = {};
  std::optional<std::vector<QueueName>> queues = {};  // nothing = all
  std::vector<TaskType> types = {};                   // the types this worker declares; needed when want > 0
  std::size_t want = 0;                               // leases wanted now, at most 1,000
  std::size_t payload_bytes_max = 8 * 1024 * 1024;    // of all leases together; at least one lease is given
  Milliseconds lease_duration{30'000};                // 1 s to 12 h
  Milliseconds wait{0};  // at most 30 s; only a call without started, settle and extend waits
};

enum class ItemResult : std::uint8_t { recorded = 1, already_recorded, lease_lost, invalid };
std::string_view to_string(ItemResult result) noexcept;

struct StartedResult {
  LeaseToken token = {};
  ItemResult result = ItemResult::recorded;
};

struct SettledResult {
  LeaseToken token = {};
  TaskId task_id = {};
  ItemResult result = ItemResult::recorded;
  std::optional<Status> status = {};  // the task's status now, if it is known
  std::optional<Error> error = {};    // when invalid
  std::vector<TaskId> children = {};
};

struct ExtendedResult {
  LeaseToken token = {};
  ItemResult result = ItemResult::recorded;
  Milliseconds lease_left{0};
  std::optional<Error> error = {};  // when invalid
};

/// Asks a worker to stop one attempt.
struct StopRequest {
  LeaseToken token = {};
  TaskId task_id = {};
  std::string reason = {};  // `cancelled`, `timed_out`
  Milliseconds grace{10'000};
};

/// The right to run one attempt, with what the handler needs.
struct Lease {
  LeaseToken token = {};
  std::uint64_t fence = 0;  // only grows, over all leases of a broker
  TaskId task_id = {};
  TaskType task_type = {};
  QueueName queue = {};
  std::string payload = {};
  int priority = 0;
  std::uint32_t incarnation = 1;
  std::uint32_t attempt = 1;
  std::uint32_t retry_count = 0;
  std::uint32_t max_retries = 0;
  std::uint32_t crashes = 0;
  bool alone = false;  // a suspect of a shared crash: run nothing beside it
  WallTime created_at = {};
  Milliseconds lease_left{0};
  Milliseconds timeout{0};  // 0 = none
  StringMap tags = {};
  StringMap headers = {};
};

struct WorkReply {
  Durability durability = Durability::memory;
  WallTime server_time = {};
  std::vector<StartedResult> started = {};  // each list in request order
  std::vector<SettledResult> settled = {};
  std::vector<ExtendedResult> extended = {};
  std::vector<StopRequest> stop = {};
  std::vector<Lease> leases = {};
};

// ---- single transitions ---------------------------------------------------------------------------------------------

enum class Action : std::uint8_t {
  cancel = 1,  // pending: cancelled now; processing: requested
  requeue,     // finished: a new incarnation
  run_now,     // scheduled or retrying: queued now
  erase,       // pending or finished: the record goes; processing: conflict
};
std::string_view to_string(Action action) noexcept;

struct ActRequest {
  Action action = Action::cancel;
  std::vector<TaskId> tasks = {};  // at most 1,000
};

struct Acted {
  TaskId task_id = {};
  Status status = Status::queued;  // after the action; of the erased task, before
  bool requested = false;          // cancel of a processing task: its worker was asked, the status stays
};

struct ActReply {
  std::vector<Result<Acted>> items = {};  // in request order; not_found, gone, conflict
  Durability durability = Durability::memory;
};

enum class Control : std::uint8_t { pause = 1, resume, purge };

struct ControlRequest {
  Control control = Control::pause;
  QueueName queue = {};
};

struct ControlReply {
  std::uint64_t affected = 0;  // purge: waiting tasks removed by this call (a bounded batch)
  bool more = false;           // purge: call again
};

// ---- reading --------------------------------------------------------------------------------------------------------

struct FindRequest {
  TaskId task = {};
  bool payload = true;
  bool result = true;
};

struct WatchRequest {
  TaskId task = {};
  Milliseconds wait{0};  // answers when the task is final, or after this with what it is then; at most 30 s
};

struct ListRequest {
  std::optional<QueueName> queue = {};
  std::vector<Status> statuses = {};  // empty = all
  std::optional<TaskType> type = {};
  std::string id_prefix = {};
  std::optional<WallTime> created_after = {};
  std::optional<WallTime> created_before = {};
  std::size_t limit = 100;  // 1 to 1,000
  std::string cursor = {};  // opaque, from the page before
  bool payload = false;
  bool result = false;
};

/// One page, newest first. A page may be short although there is more: `next` tells.
struct TaskPage {
  std::vector<TaskRecord> tasks = {};
  std::optional<std::string> next = {};
};

struct QueueStats {
  QueueName queue = {};
  bool paused = false;
  std::uint64_t by_status[status_count + 1] = {};  // indexed by Status
  std::uint64_t payload_bytes = 0;                 // of unfinished tasks
  std::optional<WallTime> oldest_ready = {};       // since when the longest waiting queued task is ready (estimate)
  std::uint64_t completed_total = 0;               // since the store began
  std::uint64_t failed_total = 0;                  // dead-lettered since the store began
  std::uint64_t enqueued_total = 0;
};

struct WorkerStats {
  WorkerInfo info = {};
  std::vector<QueueName> queues = {};
  std::vector<TaskType> types = {};
  std::uint32_t leases = 0;  // held now
  WallTime first_seen = {};
  WallTime last_seen = {};
};

struct TypeStats {
  TaskType type = {};
  bool served = false;  // declared by a worker in the last 24 h
  std::uint64_t queued = 0;
  std::optional<WallTime> last_declared = {};
};

struct Stats {
  std::vector<QueueStats> queues = {};
  std::vector<WorkerStats> workers = {};
  std::vector<TypeStats> types = {};
  std::uint64_t event_sequence = 0;  // of the newest transition
  std::uint64_t purged_total = 0;
  std::uint64_t lease_lost_total = 0;
  std::uint64_t crashed_total = 0;
  WallTime now = {};
};

/// What this broker really gives now; `/api/v1/guarantees` and `millrace doctor` show it.
struct Guarantees {
  struct Setting {
    std::string name = {};
    std::string value = {};
    bool ok = true;
    std::string note = {};
  };
  std::string broker = {};   // `embedded`, `memory`, `http`
  std::string version = {};  // of the store behind it
  Durability durability = Durability::memory;
  std::vector<Setting> settings = {};
  std::vector<std::string> degradations = {};  // reasons why less than usual is promised
};

}  // namespace millrace
