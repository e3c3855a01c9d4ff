#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "codec/fingerprint.hpp"
#include "engine/task_slot.hpp"

/// What happened, as the journal keeps it. Rules decide events; `State::apply` only obeys them, so a later fix of a
/// rule never changes history. Kinds and members are stored: a kind is never renumbered, a member only added behind the
/// others under a new kind. Numbers are varints; task numbers are deltas to the event before.
namespace millrace::engine {

/// Writes and reads the stored form; keeps the task number of the event before.
struct EventWriter {
  explicit EventWriter(std::string& out) : bytes(out) {}
  void seq(Seq value) {
    bytes.signed_number(static_cast<std::int64_t>(value - previous));
    previous = value;
  }
  ByteWriter bytes;
  Seq previous = 0;
};
struct EventReader {
  explicit EventReader(std::string_view in) : bytes(in) {}
  Seq seq() { return previous += static_cast<std::uint64_t>(bytes.signed_number()); }
  ByteReader bytes;
  Seq previous = 0;
};

/// A queue or a task type got its number: the next free one.
struct NameAdded {
  static constexpr std::uint8_t kind = 1;
  enum class Of : std::uint8_t { queue = 1, type = 2 };
  Of of = Of::queue;
  std::string text = {};
  void write(EventWriter& out) const;
  static NameAdded read(EventReader& in);
};

/// A (queue, type) pair got its number: the next free one.
struct LineAdded {
  static constexpr std::uint8_t kind = 2;
  std::uint32_t queue = 0;
  std::uint32_t type = 0;
  void write(EventWriter& out) const;
  static LineAdded read(EventReader& in);
};

/// A worker instance was seen first, or asked for other lease times. It gets the next free number.
struct WorkerSeen {
  static constexpr std::uint8_t kind = 3;
  std::string instance = {};
  std::string name = {};
  bool inside_server = false;
  std::int64_t lease_ms = 0;
  void write(EventWriter& out) const;
  static WorkerSeen read(EventReader& in);
};

/// A worker declared this type; written at most once an hour for each.
struct TypeDeclared {
  static constexpr std::uint8_t kind = 4;
  std::uint32_t type = 0;
  void write(EventWriter& out) const;
  static TypeDeclared read(EventReader& in);
};

struct QueuePaused {
  static constexpr std::uint8_t kind = 5;
  std::uint32_t queue = 0;
  bool paused = false;
  void write(EventWriter& out) const;
  static QueuePaused read(EventReader& in);
};

/// A task was accepted (incarnation 1), or a finished one was submitted again with new content (`rerun`).
struct Accepted {
  static constexpr std::uint8_t kind = 6;
  Seq seq = 0;
  bool rerun = false;
  std::uint32_t id_random = 0;
  LineIndex line = 0;
  std::int8_t priority = 0;
  std::uint16_t max_retries = 0;
  bool later = false;  // scheduled until `due`, else queued now
  bool due_on_wall = false;
  std::int64_t due = 0;
  std::int64_t expires_at = 0;
  bool named = false;  // has a client's id or an idempotency key: `fingerprint` is set
  Fingerprint fingerprint = {};
  std::string content = {};
  void write(EventWriter& out) const;
  static Accepted read(EventReader& in);
};

/// Tasks whose wait is over, in order; they are ready since `due`, not since now.
struct BecameDue {
  static constexpr std::uint8_t kind = 7;
  std::vector<Seq> seqs = {};
  void write(EventWriter& out) const;
  static BecameDue read(EventReader& in);
};

/// An operator ended the wait of a scheduled or retrying task.
struct RunNow {
  static constexpr std::uint8_t kind = 8;
  Seq seq = 0;
  void write(EventWriter& out) const { out.seq(seq); }
  static RunNow read(EventReader& in) { return {in.seq()}; }
};

/// Leases given to one worker in one answer; fences count up from `fence_first`.
struct Granted {
  static constexpr std::uint8_t kind = 9;
  std::uint32_t worker = 0;
  std::string request_id = {};
  std::uint64_t fence_first = 0;
  std::vector<Seq> seqs = {};
  void write(EventWriter& out) const;
  static Granted read(EventReader& in);
};

struct Started {
  static constexpr std::uint8_t kind = 10;
  Seq seq = 0;
  void write(EventWriter& out) const { out.seq(seq); }
  static Started read(EventReader& in) { return {in.seq()}; }
};

/// The newest attempt ended, by its worker, the reaper or a restart.
struct Settled {
  static constexpr std::uint8_t kind = 11;
  Seq seq = 0;
  Outcome outcome = Outcome::completed;
  Status status = Status::completed;  // of the task, after
  std::uint8_t retries = 0;           // how much each count grows
  std::uint8_t crashes = 0;
  std::uint8_t refunds = 0;
  std::uint8_t defers = 0;
  std::uint8_t unclean_stops = 0;
  bool alone = false;
  bool keeps_rank = false;
  bool by_server = false;  // not by its worker: its token is void
  std::int64_t due = 0;    // scheduled, retrying: engine time; finished: removal, 0 = never
  std::string result = {};
  TaskError error = {};
  void write(EventWriter& out) const;
  static Settled read(EventReader& in);
};

struct CancelRequested {
  static constexpr std::uint8_t kind = 12;
  Seq seq = 0;
  void write(EventWriter& out) const { out.seq(seq); }
  static CancelRequested read(EventReader& in) { return {in.seq()}; }
};

/// A waiting task ended without an attempt: cancelled, expired, or failed with no handler.
struct Ended {
  static constexpr std::uint8_t kind = 13;
  Seq seq = 0;
  Status status = Status::cancelled;
  std::int64_t removal = 0;
  TaskError error = {};
  void write(EventWriter& out) const;
  static Ended read(EventReader& in);
};

/// A finished task was put back by an operator, as a new incarnation of the same content.
struct Requeued {
  static constexpr std::uint8_t kind = 14;
  Seq seq = 0;
  void write(EventWriter& out) const { out.seq(seq); }
  static Requeued read(EventReader& in) { return {in.seq()}; }
};

/// Records that went: by retention, purge or an operator.
struct Removed {
  static constexpr std::uint8_t kind = 15;
  enum class Why : std::uint8_t { retention = 1, purge = 2, erased = 3 };
  Why why = Why::retention;
  std::vector<Seq> seqs = {};
  void write(EventWriter& out) const;
  static Removed read(EventReader& in);
};

/// The store was opened; the generation grows by one.
struct Opened {
  static constexpr std::uint8_t kind = 16;
  void write(EventWriter&) const {}
  static Opened read(EventReader&) { return {}; }
};

/// A worker instance that was silent for long was forgotten. `WorkerSeen` never gives its number again.
struct WorkerForgotten {
  static constexpr std::uint8_t kind = 17;
  std::uint32_t worker = 0;
  void write(EventWriter& out) const { out.bytes.number(worker); }
  static WorkerForgotten read(EventReader& in) { return {static_cast<std::uint32_t>(in.bytes.number())}; }
};

/// A group stayed open while the clock went on; what follows in it happened at this time. No transition of a task.
struct TimePassed {
  static constexpr std::uint8_t kind = 18;
  Now now = {};
  void write(EventWriter& out) const {
    out.bytes.signed_number(now.engine);
    out.bytes.signed_number(now.wall);
  }
  static TimePassed read(EventReader& in) {
    TimePassed event;
    event.now.engine = in.bytes.signed_number();
    event.now.wall = in.bytes.signed_number();
    return event;
  }
};

/// A worker instance was seen first and got the number of one that was forgotten.
struct WorkerReplaced {
  static constexpr std::uint8_t kind = 19;
  std::uint32_t worker = 0;
  WorkerSeen by = {};
  void write(EventWriter& out) const;
  static WorkerReplaced read(EventReader& in);
};

/// How many transitions an event is: each has its own number in the event sequence.
template <class Event>
std::uint64_t transitions_of(const Event& event) {
  if constexpr (requires { event.seqs; }) {
    return event.seqs.size();
  } else if constexpr (std::is_same_v<Event, TimePassed>) {
    return 0;
  } else {
    return 1;
  }
}

/// Reads events until the end and hands each to `visit(event)`. False if the bytes are not a whole number of events.
template <class Visit>
bool read_events(std::string_view bytes, Visit&& visit) {
  EventReader in(bytes);
  while (in.bytes.ok() && !in.bytes.at_end()) {
    const auto handle = [&](auto event) {
      if (in.bytes.ok()) visit(std::move(event));
    };
    switch (in.bytes.byte()) {
      case NameAdded::kind:
        handle(NameAdded::read(in));
        break;
      case LineAdded::kind:
        handle(LineAdded::read(in));
        break;
      case WorkerSeen::kind:
        handle(WorkerSeen::read(in));
        break;
      case TypeDeclared::kind:
        handle(TypeDeclared::read(in));
        break;
      case QueuePaused::kind:
        handle(QueuePaused::read(in));
        break;
      case Accepted::kind:
        handle(Accepted::read(in));
        break;
      case BecameDue::kind:
        handle(BecameDue::read(in));
        break;
      case RunNow::kind:
        handle(RunNow::read(in));
        break;
      case Granted::kind:
        handle(Granted::read(in));
        break;
      case Started::kind:
        handle(Started::read(in));
        break;
      case Settled::kind:
        handle(Settled::read(in));
        break;
      case CancelRequested::kind:
        handle(CancelRequested::read(in));
        break;
      case Ended::kind:
        handle(Ended::read(in));
        break;
      case Requeued::kind:
        handle(Requeued::read(in));
        break;
      case Removed::kind:
        handle(Removed::read(in));
        break;
      case Opened::kind:
        handle(Opened::read(in));
        break;
      case WorkerForgotten::kind:
        handle(WorkerForgotten::read(in));
        break;
      case TimePassed::kind:
        handle(TimePassed::read(in));
        break;
      case WorkerReplaced::kind:
        handle(WorkerReplaced::read(in));
        break;
      default:
        in.bytes.fail();
        break;
    }
  }
  return in.bytes.ok();
}

}  // namespace millrace::engine
