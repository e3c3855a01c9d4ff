#include <array>

#include <millrace/task.hpp>

namespace millrace {
namespace {

constexpr std::array<std::string_view, 8> statuses{"scheduled", "queued", "processing", "retrying",
                                                   "completed", "failed", "cancelled",  "expired"};
constexpr std::array<std::string_view, 8> outcomes{"completed",  "failed",   "crashed",  "timed_out",
                                                   "lease_lost", "released", "deferred", "cancelled"};
constexpr std::array<std::string_view, 5> durabilities{"memory", "process", "disk", "replicated", "quorum"};
constexpr std::array<std::string_view, 3> backoffs{"exponential", "linear", "fixed"};

template <class Enum, std::size_t Size>
std::string_view text_of(const std::array<std::string_view, Size>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value) - 1;
  return index < Size ? names[index] : std::string_view{"unknown"};
}

template <class Enum, std::size_t Size>
std::optional<Enum> value_of(const std::array<std::string_view, Size>& names, std::string_view text) {
  for (std::size_t i = 0; i < Size; ++i)
    if (names[i] == text) return static_cast<Enum>(i + 1);
  return std::nullopt;
}

bool letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string_view to_string(Status status) noexcept { return text_of(statuses, status); }
std::optional<Status> parse_status(std::string_view text) noexcept { return value_of<Status>(statuses, text); }
std::string_view to_string(Outcome outcome) noexcept { return text_of(outcomes, outcome); }
std::optional<Outcome> parse_outcome(std::string_view text) noexcept { return value_of<Outcome>(outcomes, text); }
std::string_view to_string(Durability durability) noexcept { return text_of(durabilities, durability); }
std::optional<Durability> parse_durability(std::string_view text) noexcept {
  return value_of<Durability>(durabilities, text);
}
std::string_view to_string(Backoff::Kind kind) noexcept { return text_of(backoffs, kind); }
std::optional<Backoff::Kind> parse_backoff_kind(std::string_view text) noexcept {
  return value_of<Backoff::Kind>(backoffs, text);
}

bool valid_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > name_bytes_max || !letter_or_digit(text.front())) return false;
  for (const char c : text)
    if (!letter_or_digit(c) && c != '.' && c != '_' && c != '-') return false;
  return true;
}

}  // namespace millrace
