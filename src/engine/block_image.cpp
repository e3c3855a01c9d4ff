#include "engine/block_image.hpp"

#include "base/bytes.hpp"
#include "base/crc32c.hpp"

namespace millrace::engine {
namespace {

constexpr std::uint8_t image_version = 1;

enum SlotFlag : std::uint32_t {
  is_started = 1,
  is_cancel_requested = 2,
  is_alone = 4,
  is_granted_alone = 8,
  is_due_on_wall = 16,
  has_last_attempt = 32,
  is_watched_type = 64,
  has_detail = 128,
  content_apart = 256,
  result_apart = 512,
  is_last_by_server = 1024,
};

/// Numbers the worker names that one block uses.
class LocalNames {
 public:
  std::uint32_t number(std::uint32_t global) {
    for (std::uint32_t i = 0; i < used_.size(); ++i)
      if (used_[i] == global) return i;
    used_.push_back(global);
    return static_cast<std::uint32_t>(used_.size() - 1);
  }
  const std::vector<std::uint32_t>& used() const { return used_; }

 private:
  std::vector<std::uint32_t> used_;
};

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

void write_detail(ByteWriter& out, const TaskDetail& detail, bool with_result, LocalNames& names) {
  out.number(detail.history.size());
  for (const auto& past : detail.history) {
    out.number(past.number);
    out.number(names.number(past.worker));
    out.signed_number(past.started_at);
    out.signed_number(past.ended_at);
    out.byte(static_cast<std::uint8_t>(past.outcome));
    out.byte(past.by_server ? 1 : 0);
    out.fixed64(past.fence);
    write_error(out, past.error);
  }
  out.text(with_result ? std::string_view(detail.result) : std::string_view{});
  write_error(out, detail.error);
  out.number(detail.logs.size());
  for (const auto& line : detail.logs) out.text(line);
}

std::unique_ptr<TaskDetail> read_detail(ByteReader& in) {
  auto detail = std::make_unique<TaskDetail>();
  auto count = in.number();
  if (count > in.left()) in.fail(), count = 0;
  detail->history.reserve(count);
  for (; count > 0 && in.ok(); --count) {
    PastAttempt past;
    past.number = static_cast<std::uint32_t>(in.number());
    past.worker = static_cast<std::uint32_t>(in.number());
    past.started_at = in.signed_number();
    past.ended_at = in.signed_number();
    past.outcome = static_cast<Outcome>(in.byte());
    past.by_server = in.byte() != 0;
    past.fence = in.fixed64();
    past.error = read_error(in);
    detail->history.push_back(std::move(past));
  }
  detail->result = in.text();
  detail->error = read_error(in);
  count = in.number();
  if (count > in.left()) in.fail(), count = 0;
  for (; count > 0 && in.ok(); --count) detail->logs.emplace_back(in.text());
  return detail;
}

std::uint32_t flags_of(const TaskSlot& slot) {
  std::uint32_t flags = 0;
  if (slot.started) flags |= is_started;
  if (slot.cancel_requested) flags |= is_cancel_requested;
  if (slot.alone) flags |= is_alone;
  if (slot.granted_alone) flags |= is_granted_alone;
  if (slot.due_on_wall) flags |= is_due_on_wall;
  if (slot.has_last) flags |= has_last_attempt;
  if (slot.last_by_server) flags |= is_last_by_server;
  if (slot.watched_type) flags |= is_watched_type;
  if (slot.detail) flags |= has_detail;
  if (slot.content.size() > blob_bytes_min) flags |= content_apart;
  if (slot.detail && slot.detail->result.size() > blob_bytes_min) flags |= result_apart;
  return flags;
}

void write_slot(ByteWriter& out, const TaskSlot& slot, LocalNames& names) {
  const auto flags = flags_of(slot);
  out.byte(slot.status_value);
  out.number(flags);
  out.signed_number(slot.priority);
  out.byte(slot.crashes);
  out.byte(slot.refunds);
  out.byte(slot.unclean_stops);
  out.byte(static_cast<std::uint8_t>(slot.last_outcome));
  out.number(slot.retry_count);
  out.number(slot.max_retries);
  out.number(slot.defers);
  out.number(slot.attempt);
  out.number(slot.incarnation);
  out.fixed32(slot.id_random);
  out.number(slot.revision);
  out.number(slot.line);
  out.number(slot.payload_bytes);
  out.number(slot.attempt == 0 ? 0 : names.number(slot.worker));
  out.signed_number(slot.created_at);
  out.signed_number(slot.due);
  out.signed_number(slot.ready_at);
  out.signed_number(slot.expires_at);
  out.signed_number(slot.granted_at);
  out.signed_number(slot.ended_at);
  out.number(slot.fence);
  if (slot.detail) write_detail(out, *slot.detail, (flags & result_apart) == 0, names);
  if ((flags & content_apart) == 0) out.text(slot.content);
}

std::uint32_t read_slot(ByteReader& in, TaskSlot& slot) {
  slot.status_value = in.byte();
  if (slot.status_value == TaskSlot::empty || slot.status_value > status_count) in.fail();
  const auto flags = static_cast<std::uint32_t>(in.number());
  slot.started = (flags & is_started) != 0;
  slot.cancel_requested = (flags & is_cancel_requested) != 0;
  slot.alone = (flags & is_alone) != 0;
  slot.granted_alone = (flags & is_granted_alone) != 0;
  slot.due_on_wall = (flags & is_due_on_wall) != 0;
  slot.has_last = (flags & has_last_attempt) != 0;
  slot.last_by_server = (flags & is_last_by_server) != 0;
  slot.watched_type = (flags & is_watched_type) != 0;
  slot.priority = static_cast<std::int8_t>(in.signed_number());
  slot.crashes = in.byte();
  slot.refunds = in.byte();
  slot.unclean_stops = in.byte();
  slot.last_outcome = static_cast<Outcome>(in.byte());
  slot.retry_count = static_cast<std::uint16_t>(in.number());
  slot.max_retries = static_cast<std::uint16_t>(in.number());
  slot.defers = static_cast<std::uint16_t>(in.number());
  slot.attempt = static_cast<std::uint32_t>(in.number());
  slot.incarnation = static_cast<std::uint32_t>(in.number());
  slot.id_random = in.fixed32();
  slot.revision = static_cast<std::uint32_t>(in.number());
  slot.line = static_cast<LineIndex>(in.number());
  slot.payload_bytes = static_cast<std::uint32_t>(in.number());
  slot.worker = static_cast<std::uint32_t>(in.number());
  slot.created_at = in.signed_number();
  slot.due = in.signed_number();
  slot.ready_at = in.signed_number();
  slot.expires_at = in.signed_number();
  slot.granted_at = in.signed_number();
  slot.ended_at = in.signed_number();
  slot.fence = in.number();
  if ((flags & has_detail) != 0) slot.detail = read_detail(in);
  if ((flags & content_apart) == 0) slot.content = in.text();
  return flags;
}

std::uint32_t checksum(std::string_view key, std::string_view value) { return crc32c(value, crc32c(key)); }

}  // namespace

std::string block_key(std::uint64_t block, std::uint64_t version) {
  std::string key(1, 'B');
  append_key(key, block);
  append_key(key, version);
  return key;
}

std::string blob_key(Seq seq, bool result, std::uint32_t incarnation) {
  std::string key;
  append_key(key, seq);
  key.push_back(result ? 'r' : 'c');
  append_key(key, incarnation);
  return key;
}

void write_block(const Block& block, const NameTable& worker_names, std::string_view key, std::string& image,
                 const BlobSink& blobs) {
  LocalNames names;
  std::string body;
  body.reserve(block.extra_bytes + block.live * 48u);
  ByteWriter out(body);
  for (std::size_t i = 0; i < slots_per_block; ++i) {
    const auto& slot = block.slots[i];
    if (!slot.exists()) continue;
    out.byte(static_cast<std::uint8_t>(i));
    write_slot(out, slot, names);
    const auto seq = block.first_seq() + i;
    if (slot.content.size() > blob_bytes_min) blobs(blob_key(seq, false, slot.incarnation), slot.content);
    if (slot.detail && slot.detail->result.size() > blob_bytes_min)
      blobs(blob_key(seq, true, slot.incarnation), slot.detail->result);
  }
  const auto start = image.size();
  ByteWriter head(image);
  head.byte(image_version);
  head.number(names.used().size());
  for (const auto name : names.used()) head.text(worker_names.text(name));
  head.raw(body);
  head.fixed32(checksum(key, std::string_view(image).substr(start)));
}

std::optional<ReadBlock> read_block(std::uint64_t number, std::string_view key, std::string_view image,
                                    const BlobSource& blobs) {
  if (image.size() < 6) return std::nullopt;
  const auto value = image.substr(0, image.size() - 4);
  ByteReader sum(image.substr(value.size()));
  if (sum.fixed32() != checksum(key, value)) return std::nullopt;
  ByteReader in(value);
  if (in.byte() != image_version) return std::nullopt;
  ReadBlock read;
  read.block = std::make_unique<Block>();
  auto& block = *read.block;
  block.number = number;
  auto names = in.number();
  if (names > in.left()) return std::nullopt;
  for (; names > 0 && in.ok(); --names) read.worker_names.emplace_back(in.text());
  while (in.ok() && !in.at_end()) {
    const auto index = in.byte();
    if (index >= slots_per_block || block.slots[index].exists()) return std::nullopt;
    auto& slot = block.slots[index];
    const auto flags = read_slot(in, slot);
    if (!in.ok()) return std::nullopt;
    const auto seq = block.first_seq() + index;
    const auto fetch = [&](bool result, std::string& into) {
      auto found = blobs(blob_key(seq, result, slot.incarnation));
      if (found) into = std::move(*found);
      return found.has_value();
    };
    if ((flags & content_apart) != 0 && !fetch(false, slot.content)) return std::nullopt;
    if ((flags & result_apart) != 0 && !fetch(true, slot.need_detail().result)) return std::nullopt;
    ++block.live;
    if (!slot.finished()) ++block.unfinished;
    if (slot.status() == Status::processing) ++block.processing;
    block.extra_bytes += slot.extra_bytes();
    const auto known = [&](std::uint32_t worker) { return worker < read.worker_names.size(); };
    if (slot.attempt != 0 && !known(slot.worker)) return std::nullopt;
    if (slot.detail)
      for (const auto& past : slot.detail->history)
        if (!known(past.worker)) return std::nullopt;
  }
  return in.ok() ? std::optional(std::move(read)) : std::nullopt;
}

std::unique_ptr<Block> settle_names(ReadBlock read, NameTable& worker_names) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(read.worker_names.size());
  for (const auto& name : read.worker_names) numbers.push_back(worker_names.find_or_add(name));
  for (auto& slot : read.block->slots) {
    if (!slot.exists()) continue;
    if (slot.attempt != 0) slot.worker = numbers[slot.worker];
    if (slot.detail)
      for (auto& past : slot.detail->history) past.worker = numbers[past.worker];
  }
  return std::move(read.block);
}

}  // namespace millrace::engine
