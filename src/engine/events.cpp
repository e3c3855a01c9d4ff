#include "engine/events.hpp"

namespace millrace::engine {
namespace {

void write_error(ByteWriter& out, const TaskError& error) {
  out.text(error.type);
  out.text(error.message);
  out.text(error.detail);
}

TaskError read_error(ByteReader& in) {
  TaskError error;
  error.type = in.text();
  error.message = in.text();
  error.detail = in.text();
  return error;
}

void write_seqs(EventWriter& out, const std::vector<Seq>& seqs) {
  out.bytes.number(seqs.size());
  for (const auto seq : seqs) out.seq(seq);
}

std::vector<Seq> read_seqs(EventReader& in) {
  const auto count = in.bytes.number();
  std::vector<Seq> seqs;
  if (count > in.bytes.left()) return in.bytes.fail(), seqs;  // each takes at least a byte
  seqs.reserve(count);
  for (std::uint64_t i = 0; i < count && in.bytes.ok(); ++i) seqs.push_back(in.seq());
  return seqs;
}

std::uint32_t number32(ByteReader& in) {
  const auto value = in.number();
  if (value > UINT32_MAX) in.fail();
  return static_cast<std::uint32_t>(value);
}

bool known(Status status) { return status >= Status::scheduled && status <= Status::expired; }
bool known(Outcome outcome) { return outcome >= Outcome::completed && outcome <= Outcome::cancelled; }

enum AcceptedFlag : std::uint8_t {
  is_rerun = 1,
  is_later = 2,
  is_due_on_wall = 4,
  has_expiry = 8,
  is_named = 16,
  has_priority = 32,
  has_max_retries = 64,
};

enum SettledFlag : std::uint32_t {
  has_retry = 1,
  has_crash = 2,
  has_refund = 4,
  has_defer = 8,
  has_unclean = 16,
  is_alone = 32,
  is_keeping_rank = 64,
  has_due = 128,
  has_result = 256,
  has_error = 512,
  is_by_server = 1024,
};

constexpr std::uint16_t usual_max_retries = 3;

}  // namespace

void NameAdded::write(EventWriter& out) const {
  out.bytes.byte(static_cast<std::uint8_t>(of));
  out.bytes.text(text);
}
NameAdded NameAdded::read(EventReader& in) {
  NameAdded event;
  event.of = static_cast<Of>(in.bytes.byte());
  event.text = in.bytes.text();
  if (event.of != Of::queue && event.of != Of::type) in.bytes.fail();
  return event;
}

void LineAdded::write(EventWriter& out) const {
  out.bytes.number(queue);
  out.bytes.number(type);
}
LineAdded LineAdded::read(EventReader& in) {
  LineAdded event;
  event.queue = number32(in.bytes);
  event.type = number32(in.bytes);
  return event;
}

void WorkerSeen::write(EventWriter& out) const {
  out.bytes.text(instance);
  out.bytes.text(name);
  out.bytes.byte(inside_server ? 1 : 0);
  out.bytes.number(static_cast<std::uint64_t>(lease_ms));
}
WorkerSeen WorkerSeen::read(EventReader& in) {
  WorkerSeen event;
  event.instance = in.bytes.text();
  event.name = in.bytes.text();
  event.inside_server = in.bytes.byte() != 0;
  event.lease_ms = static_cast<std::int64_t>(in.bytes.number());
  return event;
}

void WorkerReplaced::write(EventWriter& out) const {
  out.bytes.number(worker);
  by.write(out);
}

WorkerReplaced WorkerReplaced::read(EventReader& in) {
  const auto worker = number32(in.bytes);
  return {worker, WorkerSeen::read(in)};
}

void TypeDeclared::write(EventWriter& out) const { out.bytes.number(type); }
TypeDeclared TypeDeclared::read(EventReader& in) { return {number32(in.bytes)}; }

void QueuePaused::write(EventWriter& out) const {
  out.bytes.number(queue);
  out.bytes.byte(paused ? 1 : 0);
}
QueuePaused QueuePaused::read(EventReader& in) {
  QueuePaused event;
  event.queue = number32(in.bytes);
  event.paused = in.bytes.byte() != 0;
  return event;
}

void Accepted::write(EventWriter& out) const {
  std::uint8_t flags = 0;
  if (rerun) flags |= is_rerun;
  if (later) flags |= is_later;
  if (due_on_wall) flags |= is_due_on_wall;
  if (expires_at != 0) flags |= has_expiry;
  if (named) flags |= is_named;
  if (priority != 0) flags |= has_priority;
  if (max_retries != usual_max_retries) flags |= has_max_retries;
  out.seq(seq);
  out.bytes.byte(flags);
  out.bytes.fixed32(id_random);
  out.bytes.number(line);
  if (later) out.bytes.signed_number(due);
  if (expires_at != 0) out.bytes.signed_number(expires_at);
  if (named) {
    out.bytes.fixed64(fingerprint.high);
    out.bytes.fixed64(fingerprint.low);
  }
  if (priority != 0) out.bytes.signed_number(priority);
  if (max_retries != usual_max_retries) out.bytes.number(max_retries);
  out.bytes.text(content);
}
Accepted Accepted::read(EventReader& in) {
  Accepted event;
  event.seq = in.seq();
  const auto flags = in.bytes.byte();
  event.rerun = (flags & is_rerun) != 0;
  event.later = (flags & is_later) != 0;
  event.due_on_wall = (flags & is_due_on_wall) != 0;
  event.named = (flags & is_named) != 0;
  event.id_random = in.bytes.fixed32();
  event.line = number32(in.bytes);
  if (event.later) event.due = in.bytes.signed_number();
  if ((flags & has_expiry) != 0) event.expires_at = in.bytes.signed_number();
  if (event.named) event.fingerprint = {in.bytes.fixed64(), in.bytes.fixed64()};
  if ((flags & has_priority) != 0) event.priority = static_cast<std::int8_t>(in.bytes.signed_number());
  event.max_retries =
      (flags & has_max_retries) != 0 ? static_cast<std::uint16_t>(in.bytes.number()) : usual_max_retries;
  event.content = in.bytes.text();
  return event;
}

void BecameDue::write(EventWriter& out) const { write_seqs(out, seqs); }
BecameDue BecameDue::read(EventReader& in) { return {read_seqs(in)}; }

void Granted::write(EventWriter& out) const {
  out.bytes.number(worker);
  out.bytes.text(request_id);
  out.bytes.fixed64(fence_first);
  write_seqs(out, seqs);
}
Granted Granted::read(EventReader& in) {
  Granted event;
  event.worker = number32(in.bytes);
  event.request_id = in.bytes.text();
  event.fence_first = in.bytes.fixed64();
  event.seqs = read_seqs(in);
  return event;
}

void Settled::write(EventWriter& out) const {
  const bool failed = error != TaskError{};
  std::uint32_t flags = 0;
  if (retries != 0) flags |= has_retry;
  if (crashes != 0) flags |= has_crash;
  if (refunds != 0) flags |= has_refund;
  if (defers != 0) flags |= has_defer;
  if (unclean_stops != 0) flags |= has_unclean;
  if (alone) flags |= is_alone;
  if (keeps_rank) flags |= is_keeping_rank;
  if (by_server) flags |= is_by_server;
  if (due != 0) flags |= has_due;
  if (!result.empty()) flags |= has_result;
  if (failed) flags |= has_error;
  out.seq(seq);
  out.bytes.byte(static_cast<std::uint8_t>(static_cast<unsigned>(outcome) << 4 | static_cast<unsigned>(status)));
  out.bytes.number(flags);
  if (due != 0) out.bytes.signed_number(due);
  if (!result.empty()) out.bytes.text(result);
  if (failed) write_error(out.bytes, error);
}
Settled Settled::read(EventReader& in) {
  Settled event;
  event.seq = in.seq();
  const auto both = in.bytes.byte();
  event.outcome = static_cast<Outcome>(both >> 4);
  event.status = static_cast<Status>(both & 15);
  if (!known(event.outcome) || !known(event.status)) in.bytes.fail();
  const auto flags = in.bytes.number();
  event.retries = (flags & has_retry) != 0 ? 1 : 0;
  event.crashes = (flags & has_crash) != 0 ? 1 : 0;
  event.refunds = (flags & has_refund) != 0 ? 1 : 0;
  event.defers = (flags & has_defer) != 0 ? 1 : 0;
  event.unclean_stops = (flags & has_unclean) != 0 ? 1 : 0;
  event.alone = (flags & is_alone) != 0;
  event.keeps_rank = (flags & is_keeping_rank) != 0;
  event.by_server = (flags & is_by_server) != 0;
  if ((flags & has_due) != 0) event.due = in.bytes.signed_number();
  if ((flags & has_result) != 0) event.result = in.bytes.text();
  if ((flags & has_error) != 0) event.error = read_error(in.bytes);
  return event;
}

void Ended::write(EventWriter& out) const {
  out.seq(seq);
  out.bytes.byte(static_cast<std::uint8_t>(status));
  out.bytes.signed_number(removal);
  write_error(out.bytes, error);
}
Ended Ended::read(EventReader& in) {
  Ended event;
  event.seq = in.seq();
  event.status = static_cast<Status>(in.bytes.byte());
  if (!known(event.status)) in.bytes.fail();
  event.removal = in.bytes.signed_number();
  event.error = read_error(in.bytes);
  return event;
}

void Removed::write(EventWriter& out) const {
  out.bytes.byte(static_cast<std::uint8_t>(why));
  write_seqs(out, seqs);
}
Removed Removed::read(EventReader& in) {
  Removed event;
  event.why = static_cast<Why>(in.bytes.byte());
  if (event.why < Why::retention || event.why > Why::erased) in.bytes.fail();
  event.seqs = read_seqs(in);
  return event;
}

}  // namespace millrace::engine
