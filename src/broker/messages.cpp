#include "broker/messages.hpp"

namespace millrace {

std::string_view to_string(ItemResult result) noexcept {
  switch (result) {
    case ItemResult::recorded:
      return "recorded";
    case ItemResult::already_recorded:
      return "already_recorded";
    case ItemResult::lease_lost:
      return "lease_lost";
    case ItemResult::invalid:
      return "invalid";
  }
  return "unknown";
}

std::string_view to_string(Action action) noexcept {
  switch (action) {
    case Action::cancel:
      return "cancel";
    case Action::requeue:
      return "requeue";
    case Action::run_now:
      return "run_now";
    case Action::erase:
      return "delete";
  }
  return "unknown";
}

}  // namespace millrace
