#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "supervise/attempt_table.hpp"

namespace millrace::supervise {

/// The child's side of an `AttemptTable`: notes each lease from its grant to the record of its outcome. Leases are
/// known by their fence, which a handler's context has, and by their token, which the broker's answers have.
///
/// Threads: any. Cost: a short lock and a few stores; no system call.
class AttemptRecorder {
 public:
  /// Attaches to the table behind `file`. Errors: corrupt (not a table of this version), unavailable.
  static Result<std::unique_ptr<AttemptRecorder>> attach(Descriptor file, const Clock& clock);
  ~AttemptRecorder();
  AttemptRecorder(const AttemptRecorder&) = delete;
  AttemptRecorder& operator=(const AttemptRecorder&) = delete;

  /// Tells the parent how the worker is called at the broker, once it is known.
  void set_instance(std::string_view instance);
  /// The process is alive.
  void beat();

  /// Granted. Without a free cell the lease is not noted: after a crash it then ends by its own time.
  void leased(std::uint64_t fence, const LeaseToken& token, Milliseconds lease_left, Milliseconds timeout);
  void extended(const LeaseToken& token, Milliseconds lease_left);
  void started(std::uint64_t fence);
  void stop_asked(std::uint64_t fence, StopKind why);
  /// The handler has returned. `settles`: an outcome will be reported for it; without one the lease is forgotten.
  void finished(std::uint64_t fence, bool settles);
  /// The broker has answered the settle. While the handler still runs (the worker gave it up) the lease stays noted,
  /// because the slot is not free: the parent has to see that.
  void settled(const LeaseToken& token);

 private:
  struct Known {
    std::uint32_t cell = 0;
    std::uint64_t fence = 0;
    SteadyTime lease_end{0};
    bool settled = false;
  };
  AttemptRecorder(Descriptor file, detail::Header* header, std::size_t bytes, const Clock& clock) noexcept;
  detail::Cell& cell(std::uint32_t index) const noexcept;
  bool take_cell(std::uint32_t& index);
  void drop(const std::string& token);
  void drop_ended();

  const Descriptor file_;
  detail::Header* const header_;
  const std::size_t bytes_;
  const std::uint32_t capacity_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Known> by_token_;
  std::unordered_map<std::uint64_t, std::string> token_of_;
  std::vector<std::uint32_t> free_;
};

}  // namespace millrace::supervise
