#include "base/bytes.hpp"
#include "engine/state.hpp"

namespace millrace::engine {
namespace {

// Every stored key names its namespace; there is one until tenants exist.
constexpr std::string_view name_space = "default";
constexpr std::uint8_t alias_version = 1;

}  // namespace

std::string task_id_alias(std::string_view task_id) {
  std::string key;
  key.reserve(name_space.size() + task_id.size() + 2);
  key.append(1, 'i').append(name_space).append(1, '\0').append(task_id);
  return key;
}

std::string key_alias(std::string_view queue, std::string_view text) {
  std::string key;
  key.append(1, 'k').append(name_space).append(1, '\0').append(queue).append(1, '\0').append(text);
  return key;
}

std::string encode_alias(const Alias& alias) {
  std::string bytes;
  ByteWriter out(bytes);
  out.byte(alias_version);
  out.number(alias.seq);
  out.signed_number(alias.held_until);
  out.fixed64(alias.fingerprint.high);
  out.fixed64(alias.fingerprint.low);
  out.byte(alias.final_status);
  out.text(alias.task_id);
  return bytes;
}

std::optional<Alias> decode_alias(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.byte() != alias_version) return std::nullopt;
  Alias alias;
  alias.seq = in.number();
  alias.held_until = in.signed_number();
  alias.fingerprint = {in.fixed64(), in.fixed64()};
  alias.final_status = in.byte();
  alias.task_id = in.text();
  if (!in.ok() || !in.at_end() || alias.final_status > status_count) return std::nullopt;
  return alias;
}

}  // namespace millrace::engine
