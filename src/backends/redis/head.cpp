#include "backends/redis/head.hpp"

namespace millrace::redis {
namespace {

constexpr std::uint8_t head_version = 1;

enum Flag : std::uint8_t {
  started = 1,
  cancel_requested = 2,
  alone = 4,
  granted_alone = 8,
  due_on_wall = 16,
  has_attempt = 32,
  ended_by_server = 64,
  payload_apart = 128,
};

enum Mark : std::uint8_t { has_detail = 1, watched = 2, named = 8 };

void append(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

/// Reads members in order; all places are inside, since the size was checked.
class Members {
 public:
  explicit Members(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const char byte : bytes_.substr(0, size)) value = value << 8 | static_cast<unsigned char>(byte);
    bytes_.remove_prefix(size);
    return value;
  }
  template <class Number>
  void read(Number& to) {
    to = static_cast<Number>(number(sizeof to));
  }
  void read_time(std::int64_t& to) { to = static_cast<std::int64_t>(number(6)); }

 private:
  std::string_view bytes_;
};

}  // namespace

void Head::append_to(std::string& out) const {
  std::uint8_t flags = 0;
  if (started) flags |= Flag::started;
  if (cancel_requested) flags |= Flag::cancel_requested;
  if (alone) flags |= Flag::alone;
  if (granted_alone) flags |= Flag::granted_alone;
  if (due_on_wall) flags |= Flag::due_on_wall;
  if (attempt) flags |= Flag::has_attempt;
  if (ended_by_server) flags |= Flag::ended_by_server;
  if (payload_apart) flags |= Flag::payload_apart;
  std::uint8_t marks = 0;
  if (has_detail) marks |= Mark::has_detail;
  if (watched) marks |= Mark::watched;
  if (named) marks |= Mark::named;
  append(out, head_version, 1);
  append(out, static_cast<std::uint8_t>(status), 1);
  append(out, flags, 1);
  append(out, static_cast<std::uint8_t>(priority), 1);
  append(out, type, 2);
  append(out, max_retries, 2);
  append(out, incarnation, 2);
  append(out, revision, 4);
  for (const auto time : {created_at, at, expires_at}) append(out, static_cast<std::uint64_t>(time), 6);
  append(out, marks, 1);
  append(out, payload_bytes, 4);
  append(out, timeout_ms, 4);
  if (!attempt) return;
  append(out, attempt->retry_count, 2);
  append(out, attempt->defers, 2);
  append(out, attempt->crashes, 1);
  append(out, attempt->refunds, 1);
  append(out, attempt->unclean_stops, 1);
  append(out, static_cast<std::uint8_t>(attempt->last_outcome), 1);
  append(out, attempt->number, 4);
  append(out, attempt->worker, 4);
  for (const auto time : {attempt->granted_at, attempt->ended_at}) append(out, static_cast<std::uint64_t>(time), 6);
  append(out, attempt->fence, 8);
  append(out, attempt->lease_ms, 4);
}

std::optional<Head> Head::read(std::string_view record) {
  if (record.size() < short_size || static_cast<unsigned char>(record[0]) != head_version) return std::nullopt;
  Members members(record.substr(1));
  const auto status = members.number(1);
  if (status < 1 || status > status_count) return std::nullopt;
  Head head;
  head.status = static_cast<Status>(status);
  const auto flags = members.number(1);
  if ((flags & Flag::has_attempt) != 0 && record.size() < long_size) return std::nullopt;
  head.started = (flags & Flag::started) != 0;
  head.cancel_requested = (flags & Flag::cancel_requested) != 0;
  head.alone = (flags & Flag::alone) != 0;
  head.granted_alone = (flags & Flag::granted_alone) != 0;
  head.due_on_wall = (flags & Flag::due_on_wall) != 0;
  head.ended_by_server = (flags & Flag::ended_by_server) != 0;
  head.payload_apart = (flags & Flag::payload_apart) != 0;
  members.read(head.priority);
  members.read(head.type);
  members.read(head.max_retries);
  members.read(head.incarnation);
  members.read(head.revision);
  for (auto* const time : {&head.created_at, &head.at, &head.expires_at}) members.read_time(*time);
  const auto marks = members.number(1);
  head.has_detail = (marks & Mark::has_detail) != 0;
  head.watched = (marks & Mark::watched) != 0;
  head.named = (marks & Mark::named) != 0;
  members.read(head.payload_bytes);
  members.read(head.timeout_ms);
  if ((flags & Flag::has_attempt) == 0) return head;
  auto& attempt = head.attempt.emplace();
  members.read(attempt.retry_count);
  members.read(attempt.defers);
  members.read(attempt.crashes);
  members.read(attempt.refunds);
  members.read(attempt.unclean_stops);
  const auto outcome = members.number(1);
  if (outcome < 1 || outcome > static_cast<std::uint64_t>(Outcome::cancelled)) return std::nullopt;
  attempt.last_outcome = static_cast<Outcome>(outcome);
  members.read(attempt.number);
  members.read(attempt.worker);
  for (auto* const time : {&attempt.granted_at, &attempt.ended_at}) members.read_time(*time);
  members.read(attempt.fence);
  members.read(attempt.lease_ms);
  return head;
}

}  // namespace millrace::redis
