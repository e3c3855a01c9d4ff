#include "codec/content.hpp"

#include "base/bytes.hpp"

namespace millrace {
namespace {

constexpr std::uint8_t content_version = 1;

enum Flag : std::uint64_t {
  has_task_id = 1u << 0,
  has_backoff = 1u << 1,
  has_timeout = 1u << 2,
  has_idempotency_key = 1u << 3,
  has_idempotency_ttl = 1u << 4,
  has_result_ttl = 1u << 5,
  has_dead_letter_ttl = 1u << 6,
  has_unserved_after = 1u << 7,
  has_tags = 1u << 8,
  has_headers = 1u << 9,
  has_namespace = 1u << 10,
  has_dependency_count = 1u << 11,
  has_concurrency_key = 1u << 12,
  has_rate_class = 1u << 13,
  all_flags = (1u << 14) - 1,
};

std::uint64_t flags_of(const TaskSpec& spec) {
  static const TaskSpec defaults;
  std::uint64_t flags = 0;
  if (!spec.task_id.empty()) flags |= has_task_id;
  if (spec.backoff != defaults.backoff) flags |= has_backoff;
  if (spec.timeout != defaults.timeout) flags |= has_timeout;
  if (!spec.idempotency_key.empty()) flags |= has_idempotency_key;
  if (spec.idempotency_ttl != defaults.idempotency_ttl) flags |= has_idempotency_ttl;
  if (spec.result_ttl != defaults.result_ttl) flags |= has_result_ttl;
  if (spec.dead_letter_ttl != defaults.dead_letter_ttl) flags |= has_dead_letter_ttl;
  if (spec.unserved_after != defaults.unserved_after) flags |= has_unserved_after;
  if (!spec.tags.empty()) flags |= has_tags;
  if (!spec.headers.empty()) flags |= has_headers;
  return flags;
}

void write_map(ByteWriter& out, const StringMap& map) {
  out.number(map.size());
  for (const auto& [key, value] : map) {
    out.text(key);
    out.text(value);
  }
}

void read_map(ByteReader& in, StringMap* map) {
  auto left = in.number();
  if (left > in.left()) in.fail(), left = 0;
  for (; left > 0 && in.ok(); --left) {
    const auto key = in.text();
    const auto value = in.text();
    if (map != nullptr) map->emplace_back(key, value);
  }
}

Milliseconds milliseconds(ByteReader& in) { return Milliseconds{static_cast<std::int64_t>(in.number())}; }

Backoff read_backoff(ByteReader& in) {
  Backoff backoff;
  backoff.kind = static_cast<Backoff::Kind>(in.byte());
  backoff.initial = milliseconds(in);
  backoff.factor = in.real();
  backoff.max = milliseconds(in);
  backoff.jitter = in.real();
  return backoff;
}

/// One walk for both readers: the maps are skipped where they are not wanted.
bool walk(std::string_view content, ContentOptions& options, StringMap* tags, StringMap* headers) {
  ByteReader in(content);
  if (in.byte() != content_version) return false;
  const auto flags = in.number();
  if ((flags & ~static_cast<std::uint64_t>(all_flags)) != 0) return false;
  if ((flags & has_task_id) != 0) options.task_id = in.text();
  if ((flags & has_backoff) != 0) options.backoff = read_backoff(in);
  if ((flags & has_timeout) != 0) options.timeout = milliseconds(in);
  if ((flags & has_idempotency_key) != 0) options.idempotency_key = in.text();
  if ((flags & has_idempotency_ttl) != 0) options.idempotency_ttl = milliseconds(in);
  if ((flags & has_result_ttl) != 0) options.result_ttl = milliseconds(in);
  if ((flags & has_dead_letter_ttl) != 0) options.dead_letter_ttl = milliseconds(in);
  if ((flags & has_unserved_after) != 0) options.unserved_after = milliseconds(in);
  if ((flags & has_tags) != 0) read_map(in, tags);
  if ((flags & has_headers) != 0) read_map(in, headers);
  if ((flags & has_namespace) != 0) in.text();
  if ((flags & has_dependency_count) != 0) in.number();
  if ((flags & has_concurrency_key) != 0) in.text();
  if ((flags & has_rate_class) != 0) in.number();
  options.payload = in.raw(in.left());
  return in.ok();
}

}  // namespace

void encode_content(const TaskSpec& spec, std::string& out) {
  out.reserve(out.size() + spec.payload.size() + 16);
  ByteWriter writer(out);
  const auto flags = flags_of(spec);
  const auto duration = [&](Flag flag, Milliseconds value) {
    if ((flags & flag) != 0) writer.number(static_cast<std::uint64_t>(value.count()));
  };
  writer.byte(content_version);
  writer.number(flags);
  if ((flags & has_task_id) != 0) writer.text(spec.task_id.view());
  if ((flags & has_backoff) != 0) {
    writer.byte(static_cast<std::uint8_t>(spec.backoff.kind));
    writer.number(static_cast<std::uint64_t>(spec.backoff.initial.count()));
    writer.real(spec.backoff.factor);
    writer.number(static_cast<std::uint64_t>(spec.backoff.max.count()));
    writer.real(spec.backoff.jitter);
  }
  duration(has_timeout, spec.timeout);
  if ((flags & has_idempotency_key) != 0) writer.text(spec.idempotency_key);
  duration(has_idempotency_ttl, spec.idempotency_ttl);
  duration(has_result_ttl, spec.result_ttl);
  duration(has_dead_letter_ttl, spec.dead_letter_ttl);
  duration(has_unserved_after, spec.unserved_after);
  if ((flags & has_tags) != 0) write_map(writer, spec.tags);
  if ((flags & has_headers) != 0) write_map(writer, spec.headers);
  writer.raw(spec.payload);
}

bool decode_options(std::string_view content, ContentOptions& options) {
  return walk(content, options, nullptr, nullptr);
}

bool decode_content(std::string_view content, bool payload, TaskSpec& spec) {
  ContentOptions options;
  if (!walk(content, options, &spec.tags, &spec.headers)) return false;
  spec.task_id = options.task_id;
  spec.backoff = options.backoff;
  spec.timeout = options.timeout;
  spec.idempotency_key = options.idempotency_key;
  spec.idempotency_ttl = options.idempotency_ttl;
  spec.result_ttl = options.result_ttl;
  spec.dead_letter_ttl = options.dead_letter_ttl;
  spec.unserved_after = options.unserved_after;
  spec.payload = payload ? options.payload : std::string_view{};
  return true;
}

}  // namespace millrace
