#include "supervise/verdict.hpp"

#include <algorithm>
#include <csignal>
#include <string.h>

namespace millrace::supervise {
namespace {

bool may_be_guilty(const AttemptEntry& entry) {
  return entry.stage == Stage::started || entry.stage == Stage::finished;
}

Settle released(const AttemptEntry& entry) { return {.token = entry.token, .outcome = Outcome::released}; }

Settle crashed(const AttemptEntry& entry, const Death& death, std::size_t suspects) {
  TaskError error{death.kind == Death::Kind::exited ? "exit" : "signal", describe(death), {}};
  if (suspects > 1) error.detail = "one of " + std::to_string(suspects) + " attempts that ran in the same process";
  return {.token = entry.token, .outcome = Outcome::crashed, .error = std::move(error)};
}

Settle hung(const AttemptEntry& entry, Milliseconds grace) {
  const auto text =
      "did not stop within " + std::to_string(grace.count()) + " ms after it was asked to; its process was killed";
  if (entry.stop == StopKind::cancelled)
    return {.token = entry.token, .outcome = Outcome::cancelled, .error = {"hung", text, {}}};
  return {.token = entry.token, .outcome = Outcome::timed_out, .error = {"timed_out", text, {}}};
}

}  // namespace

std::string describe(const Death& death) {
  switch (death.kind) {
    case Death::Kind::clean:
      return "exit code 0";
    case Death::Kind::exited:
      return "exit code " + std::to_string(death.code);
    case Death::Kind::hung:
      return "killed because an attempt hung";
    case Death::Kind::stopped:
      return "ended before it had drained";
    case Death::Kind::signalled:
      break;
  }
  const char* name = ::sigabbrev_np(death.code);
  std::string text = name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(death.code);
  if (death.out_of_memory) text += " (" + std::to_string(128 + death.code) + ", out of memory)";
  return text;
}

std::optional<SteadyTime> hung_at(const AttemptEntry& entry, Milliseconds grace) {
  if (entry.stage != Stage::started) return std::nullopt;
  if (entry.stop_asked_at.count() != 0) return entry.stop_asked_at + grace;
  if (entry.timeout.count() != 0 && entry.started_at.count() != 0) return entry.started_at + entry.timeout + grace;
  return std::nullopt;
}

std::optional<SteadyTime> first_hung_at(const std::vector<AttemptEntry>& entries, Milliseconds grace) {
  std::optional<SteadyTime> first;
  for (const auto& entry : entries)
    if (const auto at = hung_at(entry, grace); at && (!first || *at < *first)) first = at;
  return first;
}

std::vector<Settle> settles_after(const Death& death, const std::vector<AttemptEntry>& entries, Milliseconds grace,
                                  SteadyTime now) {
  const bool crash = death.kind == Death::Kind::exited || death.kind == Death::Kind::signalled;
  const auto suspects = static_cast<std::size_t>(std::ranges::count_if(entries, may_be_guilty));
  std::vector<Settle> settles;
  for (const auto& entry : entries) {
    const auto due = death.kind == Death::Kind::hung ? hung_at(entry, grace) : std::nullopt;
    if (due && *due <= now)
      settles.push_back(hung(entry, grace));
    else if (crash && may_be_guilty(entry))
      settles.push_back(crashed(entry, death, suspects));
    else
      settles.push_back(released(entry));
  }
  return settles;
}

Milliseconds restart_delay(unsigned failures, Milliseconds min, Milliseconds max, Random& random) {
  if (failures == 0) return Milliseconds{0};
  const auto doublings = std::min(failures - 1, 30u);
  const auto full = std::min<std::int64_t>(max.count(), min.count() << doublings);
  return Milliseconds{full - static_cast<std::int64_t>(random.share() * 0.5 * static_cast<double>(full))};
}

}  // namespace millrace::supervise
